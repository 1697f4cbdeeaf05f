"""Providers that Terraform or AWS would refuse: where they point, whom they act as, and what they put on everything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from backbone.aws.arn import Arn, ArnError
from backbone.aws.regions import partition_of
from backbone.system.findings import Finding, finding
from backbone.system.terraform import Configuration, Provider

__all__ = ["check"]

ARGUMENTS = frozenset(
    """
    access_key alias allowed_account_ids assume_role assume_role_with_web_identity custom_ca_bundle default_tags
    ec2_metadata_service_endpoint ec2_metadata_service_endpoint_mode endpoints forbidden_account_ids http_proxy
    https_proxy ignore_tags insecure max_retries no_proxy profile region retry_mode s3_us_east_1_regional_endpoint
    s3_use_path_style secret_key shared_config_files shared_credentials_files skip_credentials_validation
    skip_metadata_api_check skip_region_validation skip_requesting_account_id sts_region tag_policy_compliance token
    token_bucket_rate_limiter_capacity use_dualstack_endpoint use_fips_endpoint
    """.split()  # noqa: SIM905
)
ROLE_ARGUMENTS = frozenset(
    """
    duration external_id policy policy_arns role_arn session_name source_identity tags transitive_tag_keys
    """.split()  # noqa: SIM905
)
"""Documentation of the AWS provider, 5.100 and 6."""

SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}")
TAG_KEY, TAG_VALUE = re.compile(r"[\w\s.:/=+@-]{1,128}"), re.compile(r"[\w\s.:/=+@-]{0,256}")
MAX_TAGS = 50
"""STS API reference, AssumeRole; tagging guide, "Tag naming limits and requirements"."""


def check(configuration: Configuration) -> Iterator[Finding]:
    """What is wrong with providers."""
    seen: set[str] = set()
    for provider in configuration.providers:
        for words in _problems(provider):
            yield finding("BB112", provider.id, words)
        if provider.id in seen:
            yield finding("BB112", provider.id, "alias: another provider of the stack has it; give one of them another")
        seen.add(provider.id)


def _problems(provider: Provider) -> Iterator[str]:
    body, region = provider.body, provider.place.region
    yield from _unknown(body, ARGUMENTS, "")
    if partition_of(region) is None and body.get("skip_region_validation") not in (True, "true"):
        yield f"region: got {region!r}; allowed: a region of AWS, or a newer one with skip_region_validation"
    if not isinstance(body.get("profile", "text"), str) or body.get("profile") == "":
        yield f"profile: got {body['profile']!r}; allowed: the name of a profile"
    if body.get("forbidden_account_ids"):
        yield "forbidden_account_ids: is given beside allowed_account_ids; allowed: one of them"
    for role in _blocks(body, "assume_role"):
        yield from [role] if isinstance(role, str) else _role(provider, role)
    for tags in _blocks(body, "default_tags"):
        yield from [tags] if isinstance(tags, str) else _tags(tags)


def _unknown(body: Mapping[str, Any], known: frozenset[str], path: str) -> Iterator[str]:
    for name in body.keys() - known:
        yield f"{path}{name}: is no argument of the AWS provider; remove it, or correct its name"


def _blocks(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any] | str]:
    """A nested block that may be there once; the words for what is none."""
    given = body.get(name)
    blocks = [] if given is None else given if isinstance(given, list) else [given]
    if len(blocks) > 1:
        return [f"{name}: got {len(blocks)} blocks; allowed: one"]
    return [block if isinstance(block, dict) else f"{name}: got {block!r}; allowed: a block" for block in blocks]


def _role(provider: Provider, role: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown(role, ROLE_ARGUMENTS, "assume_role.")
    given, place = role.get("role_arn"), provider.place
    try:
        arn = Arn.parse(str(given))
    except ArnError:
        yield f"assume_role.role_arn: got {given!r}; allowed: the ARN of a role"
        return
    if arn.service != "iam" or arn.region or not re.fullmatch(r"role/[\w+=,.@/-]{1,512}", arn.resource):
        yield f"assume_role.role_arn: got {given!r}; allowed: the ARN of a role"
    elif (arn.account_id, arn.partition) != (place.account_id, place.partition):
        yield (
            f"assume_role.role_arn: got {given!r}, a role of another account than allowed_account_ids; "
            f"allowed: a role of {place.account_id} in {place.partition}"
        )
    name = role.get("session_name")
    if name is not None and not (isinstance(name, str) and SESSION_NAME.fullmatch(name)):
        yield f"assume_role.session_name: got {str(name)[:80]!r}; allowed: 2 to 64 letters, digits and +=,.@-_"


def _tags(block: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown(block, frozenset(["tags"]), "default_tags.")
    tags = block.get("tags") or {}
    if not isinstance(tags, dict):
        yield f"default_tags.tags: got {tags!r}; allowed: a mapping of texts"
        return
    if len(tags) > MAX_TAGS:
        yield f"default_tags.tags: got {len(tags)}; allowed: at most {MAX_TAGS}"
    for key, value in tags.items():
        if not TAG_KEY.fullmatch(key) or key.lower().startswith("aws:"):
            yield f"default_tags.tags: got the key {key[:80]!r}; allowed: 1 to 128 letters, digits, spaces and _.:/=+-@"
        if value is not None and not (isinstance(value, str) and TAG_VALUE.fullmatch(value)):
            got = str(value)[:80]
            yield f"default_tags.tags.{key}: got {got!r}; allowed: up to 256 letters, digits, spaces and _.:/=+-@"
