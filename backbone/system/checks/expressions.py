"""What expressions name and call, as far as it can be told without evaluating them.

Sources: Terraform language, "References to Named Values" and "Built-in Functions"; OpenTofu adds some functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from backbone.system.arguments import attributes
from backbone.system.terraform import EXPRESSION, Block, Configuration

__all__ = ["problems"]

UNCLOSED = re.compile(r"(?<!\$)\$\{[^}]*$")
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
CALL = re.compile(r"(?<![\w:])([a-z]\w*)\s*\(")
NAMED = re.compile(r"(?<![\w.:\"])(var|local|module|data\.\w+)\.([\w-]+)")
RESOURCE = re.compile(r"(?<![\w.\"-])(aws_\w+\.[\w-]+)(\[[^\]]*\])?(?:\.(\w+))?")
ALONE = re.compile(r"\s*(each|count)\b")

FUNCTIONS = frozenset(
    """
    abs abspath alltrue anytrue base64decode base64encode base64gunzip base64gzip base64sha256 base64sha512 basename
    bcrypt can ceil chomp chunklist cidrcontains cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist
    compact concat contains csvdecode dirname distinct element endswith ephemeralasnull file filebase64
    filebase64sha256 filebase64sha512 fileexists filemd5 fileset filesha1 filesha256 filesha512 flatten floor format
    formatdate formatlist indent index issensitive join jsondecode jsonencode keys length list log lookup lower map
    matchkeys max md5 merge min nonsensitive one parseint pathexpand plantimestamp pow provider range regex regexall
    replace reverse rsadecrypt sensitive setintersection setproduct setsubtract setunion sha1 sha256 sha512 signum
    slice sort split startswith strcontains strrev substr sum templatefile templatestring textdecodebase64
    textencodebase64 timeadd timecmp timestamp title tobool tolist tomap tonumber toset tostring transpose trim
    trimprefix trimspace trimsuffix try type upper urldecode urlencode uuid uuidv5 values yamldecode yamlencode zipmap
    """.split()  # noqa: SIM905
)


def problems(configuration: Configuration, block: Block, path: str, text: str) -> Iterator[str]:
    """What is wrong with the expressions in a text of a block."""
    if UNCLOSED.search(EXPRESSION.sub("", text)):
        yield f"{path}: got {text[-60:]!r}, an expression that does not end; add the brace"
    for escaped, expression in EXPRESSION.findall(text):
        if not escaped:
            for words in _expression(configuration, block, TEXT.sub('""', expression)):
                yield f"{path}: ${{{expression}}}{words}"


def _expression(configuration: Configuration, block: Block, expression: str) -> Iterator[str]:
    for name in CALL.findall(expression):
        if name not in FUNCTIONS:
            yield f": Terraform has no function {name}"
    for kind, name in NAMED.findall(expression):
        if f"{kind}.{name}" not in configuration.names[block.stack]:
            yield f": the stack declares no {kind}.{name}"
    if (alone := ALONE.match(expression)) is not None:
        yield f": there is no {alone[1]}, since no block has count or for_each"
    for address, index, attribute in RESOURCE.findall(expression):
        target = configuration.get(f"{block.stack}/{address}")
        if target is None:
            yield " refers to a resource that is not in the stack"
        elif index:
            yield f": {address} is one resource, and none of several; leave {index} out"
        elif (names := attributes(target.type)) and attribute and attribute not in names:
            yield f": {target.type} has no attribute {attribute}"
