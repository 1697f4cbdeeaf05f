"""Write backbone/aws/data/provider.json: the arguments of the resource types that a backbone may use.

`python -m scripts.provider_schema PLUGIN_DIR` needs Terraform on the PATH and the AWS provider of the version below in
a plugin folder, HOST/hashicorp/aws/VERSION/PLATFORM. Provider 6 is known by the installed bindings, which name its
arguments and their types, but not which of them are deprecated.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["DATA", "FIVE", "TYPES", "bindings", "merged", "provider", "terraform", "to_text"]

DATA = Path(__file__).parent.parent / "backbone" / "aws" / "data" / "provider.json"
FIVE = "5.100.0"
TYPES = (
    *(f"aws_apigatewayv2_{name}" for name in ("api", "authorizer", "deployment", "integration", "route", "stage")),
    *(f"aws_cloudwatch_event_{name}" for name in ("api_destination", "archive", "bus", "bus_policy", "connection")),
    *(f"aws_cloudwatch_event_{name}" for name in ("permission", "rule", "target")),
    *(f"aws_cloudwatch_log_{name}" for name in ("delivery", "delivery_destination", "delivery_destination_policy")),
    *(f"aws_cloudwatch_log_{name}" for name in ("delivery_source", "group", "resource_policy", "stream")),
    "aws_cloudwatch_log_subscription_filter",
    "aws_dynamodb_table",
    *(f"aws_ecs_{name}" for name in ("cluster", "task_definition")),
    *(f"aws_iam_{name}" for name in ("policy", "role", "role_policy", "role_policy_attachment")),
    *(f"aws_kinesis_{name}" for name in ("firehose_delivery_stream", "stream")),
    *(f"aws_kms_{name}" for name in ("alias", "key", "key_policy")),
    *(f"aws_lambda_{name}" for name in ("alias", "event_source_mapping", "function", "function_event_invoke_config")),
    *(f"aws_lambda_{name}" for name in ("function_url", "layer_version", "layer_version_permission", "permission")),
    "aws_pipes_pipe",
    *(f"aws_scheduler_{name}" for name in ("schedule", "schedule_group")),
    *(f"aws_s3_bucket{name}" for name in ("", "_lifecycle_configuration", "_notification", "_policy")),
    *(
        f"aws_s3_bucket_{name}"
        for name in ("public_access_block", "server_side_encryption_configuration", "versioning")
    ),
    "aws_sfn_state_machine",
    *(f"aws_sns_{name}" for name in ("topic", "topic_policy", "topic_subscription")),
    *(f"aws_sqs_{name}" for name in ("queue", "queue_policy", "queue_redrive_allow_policy", "queue_redrive_policy")),
)

Json = dict[str, Any]


def provider(plugins: Path) -> Json:
    """The arguments of each type by the schema of provider 5, in this project's form."""
    required = {"aws": {"source": "hashicorp/aws", "version": FIVE}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": required}}))
        terraform(folder, "init", f"-plugin-dir={plugins}")
        found = json.loads(terraform(folder, "providers", "schema", "-json"))
    (schema,) = found["provider_schemas"].values()
    found = {name: _of_schema(schema["resource_schemas"][name]["block"]) for name in TYPES}
    for arguments in found.values():
        if "id" in arguments:
            arguments["id"]["use"] = "computed"  # the provider offers it for every resource, and refuses a value
    return found


def terraform(folder: Path, *words: str) -> str:
    """What Terraform prints for a command in a folder; SystemExit with its words when it fails."""
    environment = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    done = subprocess.run(  # noqa: S603
        ["terraform", *words],  # noqa: S607
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"terraform {words[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _of_schema(block: Mapping[str, Any]) -> Json:
    found: Json = {}
    for name, one in block.get("attributes", {}).items():
        use = "required" if one.get("required") else "optional" if one.get("optional") else "computed"
        flags = {flag: True for flag in ("deprecated", "sensitive") if one.get(flag)}
        found[name] = {"type": one["type"], "use": use} | flags
    for name, one in block.get("block_types", {}).items():
        limits = {key: one[f"{key}_items"] for key in ("min", "max") if f"{key}_items" in one}
        if one["nesting_mode"] == "single":
            limits["max"] = 1
        found[name] = {"block": _of_schema(one["block"])} | limits
        if one["block"].get("deprecated"):
            found[name]["deprecated"] = True
    return found


def bindings() -> tuple[str, Json]:
    """The version of the provider that the installed bindings were made of, and the arguments of each type there."""
    spec = find_spec("cdktf_cdktf_provider_aws")
    if spec is None or spec.origin is None:
        raise SystemExit("the bindings are not installed; run `make install`")
    found, versions = {}, set()
    for name in TYPES:
        text = (Path(spec.origin).parent / name.removeprefix("aws_") / "__init__.py").read_text()
        versions |= set(re.findall(r"providers/hashicorp/aws/([\d.]+)/docs", text))
        found[name] = _Binding(text).resource()
    (version,) = versions
    return version, found


class _Binding:
    """A generated module: a class `XConfig` with the resource's arguments, and a class for each block."""

    def __init__(self, text: str) -> None:
        starts = re.split(r"^(?=class \w+)", text, flags=re.MULTILINE)[1:]
        self._classes = {re.match(r"class (\w+)", one)[1]: one for one in starts}  # type: ignore[index]

    def resource(self) -> Json:
        base = re.compile(r"class \w+Config\(\s*\w+\.TerraformMetaArguments,?\s*\)")
        (config,) = (name for name, text in self._classes.items() if base.match(text))
        found = self._arguments(config)
        found.pop("id", None)  # the bindings offer it for every resource, settable or not
        return found

    def _arguments(self, name: str) -> Json:
        text = self._classes[name]
        signature = re.search(r"    def __init__\(.*?\) -> None:\n", text, re.DOTALL)
        if signature is None or signature.start() > text.find("        if __debug__") > 0:
            return {}
        (function,) = ast.parse(f"class _:\n{signature[0]}        pass").body[0].body  # type: ignore[attr-defined]
        documents = dict(re.findall(r":param (\w+): (.*)", text))
        found: Json = {}
        for argument in function.args.kwonlyargs:
            document = documents[argument.arg]
            anchor = re.search(r"#(\w+) \w+#\w+\}", document)
            if anchor is None:  # a meta-argument of Terraform, such as count
                continue
            found[anchor[1]] = self._argument(ast.unparse(argument.annotation), " block. Docs at" in document)
        return found

    def _argument(self, annotation: str, is_block: bool) -> Json:
        use = "optional" if annotation.startswith("typing.Optional[") else "required"
        names = [name for name in re.findall(r"\w+", annotation) if name in self._classes]
        if is_block:
            least = {"min": 1} if use == "required" else {}
            most = {} if "Sequence" in annotation else {"max": 1}
            return {"block": self._arguments(names[0])} | least | most
        return {"type": self._type(annotation, names), "use": use}

    def _type(self, annotation: str, names: list[str]) -> Any:
        if names:
            inner = {key: one["type"] for key, one in self._arguments(names[0]).items()}
            return ["list", ["object", inner]] if "Sequence" in annotation else ["object", inner]
        word = re.findall(r"builtins\.(str|bool)|jsii\.(Number)", annotation)[-1]
        plain = {"str": "string", "bool": "bool", "Number": "number"}["".join(word)]
        if "Sequence" in annotation:
            return ["list", plain]
        return ["map", plain] if "Mapping" in annotation else plain


def merged(five: Json, six: Json) -> Json:
    """Both providers' arguments; what one of them alone has says so in `only`, the major version.

    Where both have an argument, it is as provider 5 describes it, required when it is in both.
    """
    found: Json = {}
    for name in sorted({*five, *six}):
        if name not in five or (name in six and five[name].get("use") == "computed"):
            found[name] = six[name] | {"only": 6}
        elif name in six:
            found[name] = _both(five[name], six[name])
        else:
            found[name] = five[name] if five[name].get("use") == "computed" else five[name] | {"only": 5}
    return found


def _both(old: Json, new: Json) -> Json:
    if "block" in old:
        inner = new["block"] if "block" in new else _as_block(new["type"])
        return old | {"block": merged(old["block"], inner)}
    if old["use"] == "required" != new.get("use"):
        return old | {"use": "optional"}
    return old


def _as_block(kind: Any) -> Json:
    while kind[0] != "object":
        kind = kind[1]
    return {name: {"type": one, "use": "optional"} for name, one in kind[1].items()}


def to_text(versions: Mapping[str, str], types: Mapping[str, Json]) -> str:
    """The data as the file has it: an argument or block a line, so that a change of the provider reads as one."""
    lines = [f'"versions": {json.dumps(versions)}']
    for name, arguments in sorted(types.items()):
        rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(one)}" for key, one in sorted(arguments.items()))
        lines.append(f'"{name}": {{\n{rows}\n}}')
    return "{" + ",\n".join(lines) + "}\n"


def main() -> None:
    """Write the file."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    five = provider(Path(sys.argv[1]))
    version, six = bindings()
    versions = {"5": FIVE, "6": version}
    DATA.write_text(to_text(versions, {name: merged(five[name], six[name]) for name in TYPES}))


if __name__ == "__main__":
    main()
