"""Accounts and regions: of ARNs in texts, of providers, and of the provider that a resource names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mutants.documents import REMOVED, Path
from mutants.edits.values import Change, misspelt, of_entries

__all__ = ["of_arns", "of_provider_name", "of_providers"]

ARN = re.compile(r"arn:(?P<partition>[\w-]+):(?P<service>[\w-]+):(?P<region>[\w-]*):(?P<account>\d*):")


def of_arns(text: str, path: Path, accounts: list[str]) -> Iterator[Change]:
    """The accounts, regions, partitions and services of the ARNs in a text."""
    for found in ARN.finditer(text):
        if account := found["account"]:
            for other in (*(known for known in accounts if known != account), _unknown(account)):
                yield "other account", path, _with(text, found, "account", other)
        if region := found["region"]:
            for other in ("us-east-1", misspelt(region), ""):
                yield "other region", path, _with(text, found, "region", other)
        yield "other partition", path, _with(text, found, "partition", "aws-cn")
        yield "service misspelt", path, _with(text, found, "service", misspelt(found["service"]))


def _with(text: str, found: re.Match[str], part: str, value: str) -> str:
    return text[: found.start(part)] + value + text[found.end(part) :]


def _unknown(account: str) -> str:
    """The id of an account that no stack is for."""
    return account[:-1] + str((int(account[-1]) + 5) % 10)


def of_provider_name(name: str, path: Path, aliases: list[str]) -> Iterator[Change]:
    """The provider that a resource names."""
    for alias in aliases:
        if f"aws.{alias}" != name:
            yield "other account", path, f"aws.{alias}"
    for what, after in (("misspelt", misspelt(name)), ("removed", REMOVED), ("emptied", ""), ("null", None)):
        yield what, path, after


def of_providers(providers: list[dict[str, Any]], path: Path, accounts: list[str]) -> Iterator[Change]:
    """A stack's providers: region, account, role, and all else."""
    for index, provider in enumerate(providers):
        place = (*path, index)
        yield "removed", place, REMOVED
        yield "duplicated", path, [*providers, provider]
        yield "other region", (*place, "region"), "us-east-1"
        (account,) = provider["allowed_account_ids"]
        for other in (*(known for known in accounts if known != account), _unknown(account)):
            yield "other account", (*place, "allowed_account_ids"), [other]
            yield "another account more", (*place, "allowed_account_ids"), [account, other]
        for number, role in enumerate(provider.get("assume_role", ())):
            yield from of_arns(role["role_arn"], (*place, "assume_role", number, "role_arn"), accounts)
        yield from of_entries(provider, place)
