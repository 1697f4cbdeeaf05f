"""The accounts of an organization, as `accounts` of a backbone's file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from backbone.deployment.adopt import AwsError

__all__ = ["Account", "as_yaml", "of_organization"]


@dataclass(frozen=True)
class Account:
    """An active account; `name` is what it is called in the file, made of its name in the organization."""

    name: str
    id: str
    title: str


def of_organization(
    session: boto3.Session, *, units: tuple[str, ...] = (), tags: Mapping[str, str] | None = None
) -> list[Account]:
    """The active accounts, by name: all, or those beneath organizational units, by id, that have all tags.

    AwsError when Organizations cannot be asked, which only the management account and delegated administrators may.
    """
    client = session.client("organizations")
    try:
        found = {
            account["Id"]: account["Name"]
            for account in (_beneath(client, units) if units else _pages(client, "list_accounts", "Accounts"))
            if account["Status"] == "ACTIVE" and _has(client, account["Id"], tags or {})
        }
    except (BotoCoreError, ClientError) as error:
        raise AwsError(f"the organization cannot be asked: {error}") from None
    names = {account_id: _name(title) for account_id, title in found.items()}
    often = Counter(names.values())
    made = [
        Account(name if often[name] == 1 else f"{name}-{account_id}", account_id, found[account_id])
        for account_id, name in names.items()
    ]
    return sorted(made, key=lambda account: (account.name, account.id))


def as_yaml(accounts: list[Account], *, deploy_role: str | None = None) -> str:
    """The accounts as the file has them, each id in quotes: without, YAML would take it for a number."""
    role = f", deploy_role: {deploy_role}" if deploy_role else ""
    lines = [f'  {account.name}: {{id: "{account.id}"{role}}}  # {_comment(account.title)}' for account in accounts]
    return "\n".join(["accounts:", *lines]) + "\n"


def _beneath(client: Any, units: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for unit in units:
        yield from _pages(client, "list_accounts_for_parent", "Accounts", ParentId=unit)
        below = _pages(client, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=unit)
        yield from _beneath(client, tuple(each["Id"] for each in below))


def _pages(client: Any, operation: str, key: str, **parameters: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[key]


def _has(client: Any, account_id: str, tags: Mapping[str, str]) -> bool:
    if not tags:
        return True
    found = {
        tag["Key"]: tag["Value"] for tag in _pages(client, "list_tags_for_resource", "Tags", ResourceId=account_id)
    }
    return all(found.get(key) == value for key, value in tags.items())


def _name(title: str) -> str:
    """A name for the file: small letters, digits and single dashes, a letter first."""
    name = re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")
    return name if re.match("[a-z]", name) else f"account-{name}".rstrip("-")


def _comment(title: str) -> str:
    """A title on one line of a comment."""
    return " ".join(title.split())
