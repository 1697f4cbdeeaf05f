"""What no single entry of a file can tell: whether its entries agree with one another."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from backbone.aws.names import BACKBONE_NAME, BUS_NAME, BUS_NAME_ALLOWED, Names
from backbone.aws.regions import REGIONS, partition_of
from backbone.topology.models import Topology
from backbone.topology.source import KeyPath, Problem, Source, dotted, meant, shown

__all__ = ["check", "loose_ends"]


def _mapping(value: Any, *path: str) -> dict[str, Any]:
    """The mapping at a path, or an empty one where the file has something else there."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def check(given: Source) -> Iterator[Problem]:
    """What no single entry can tell. Works on the file's values, so that it speaks up beside other errors."""
    top = given.value
    if not isinstance(top, dict):
        return
    accounts, services = _mapping(top, "accounts"), _mapping(top, "services")
    places: list[KeyPath] = [
        ("bus", "account"),
        *(("services", name, "account") for name in services),
    ]
    for path in places:
        account = _mapping(top, *map(str, path[:-1])).get("account")
        if isinstance(account, str) and account not in accounts:
            allowed = ", ".join(accounts) or "none is declared yet"
            message = (
                f"got {account!r}; allowed: an account declared under accounts: {allowed}{meant(account, accounts)}"
            )
            yield given.problem(path, message)
    yield from _check_accounts(given, accounts)
    yield from _check_region(given, top)
    yield from _check_keys(given, top)
    sources: dict[str, str] = {}
    for name in services:
        service = _mapping(services, name)
        own = service.get("source", name)
        if not isinstance(own, str):
            continue
        path = ("services", name, "source") if "source" in service else ("services", name)
        if own in sources:
            message = f"got {own!r}, which is the source of {sources[own]!r} already; allowed: one source per service"
            yield given.problem(path, message)
        if "source" not in service and (own == "aws" or own.startswith("aws.")):
            yield given.problem(path, f"got {own!r}; allowed: a source of your own; those of AWS are reserved")
        sources.setdefault(own, name)
        yield from _check_subscriptions(given, name, service, own)
    yield from _check_bus_names(given, top)


def _check_accounts(given: Source, accounts: dict[str, Any]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, account in accounts.items():
        if not isinstance(account, dict):
            continue
        number = account.get("id")
        if isinstance(number, str) and number in owners:
            message = f"got {number!r}, the id of {owners[number]!r} already; declare it once and let services share it"
            yield given.problem(("accounts", name, "id"), message)
        elif isinstance(number, str):
            owners[number] = name
        if "deploy_role" in account and "profile" in account:
            yield given.problem(
                ("accounts", name, "profile"),
                "beside deploy_role; allowed: one of the two, or neither",
            )


def _check_region(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    region, partition = top.get("region"), top.get("partition")
    if not isinstance(region, str):
        return
    known = partition_of(region)
    if known is None and partition is None:
        every = [one for regions in REGIONS.values() for one in regions]
        yield given.problem(
            ("region",),
            f"got {region!r}; allowed: a region of AWS, as in eu-west-1{meant(region, every)}; for one that is newer "
            "than this list, say its partition as well (partition: aws)",
        )
    elif known is None and not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", region):
        yield given.problem(("region",), f"got {region!r}; allowed: a region's name, as in eu-west-1")
    elif known is not None and partition not in (None, known):
        yield given.problem(("partition",), f"got {partition!r}; allowed: {known}, which {region} belongs to")


def _check_keys(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    region = top.get("region")
    places: list[KeyPath] = [(), *(("accounts", name) for name in _mapping(top, "accounts"))]
    for path in places:
        key = _mapping(top, *map(str, path)).get("kms_key")
        parts = key.split(":") if isinstance(key, str) else []
        if len(parts) == 6 and isinstance(region, str) and parts[3] != region:
            message = f"got a key of {parts[3]}; allowed: one of {region}, where the buses, queues and logs are"
            yield given.problem((*path, "kms_key"), message)


def _check_subscriptions(given: Source, name: str, service: dict[str, Any], own: str) -> Iterator[Problem]:
    for key in ("publishes", "subscribes"):
        entries = service.get(key)
        seen: list[Any] = []
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            path = ("services", name, key, index)
            if entry in seen:
                yield given.problem(path, f"got {shown(entry)} a second time; keep one")
            seen.append(entry)
            if key == "subscribes" and isinstance(entry, dict) and entry.get("source") == own:
                message = f"got {own!r}, its own source; an event never goes back to its sender: drop the entry"
                yield given.problem((*path, "source"), message)


def _check_bus_names(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    """Bus names that nobody wrote are checked too, and no two buses of an account share one."""
    name, region = top.get("name"), top.get("region")
    if not isinstance(name, str) or not re.fullmatch(BACKBONE_NAME, name) or not isinstance(region, str):
        return
    made, bus, services = Names(name, region), _mapping(top, "bus"), _mapping(top, "services")
    buses: list[tuple[KeyPath, Any, str, bool]] = [
        (("bus",), bus.get("account"), str(bus.get("name", made.global_bus)), "name" in bus)
    ]
    for key in services:
        service = _mapping(services, key)
        bus_name = str(service.get("bus_name", made.local_bus(key)))
        buses.append((("services", key), service.get("account"), bus_name, "bus_name" in service))
    owners: dict[tuple[str, str], KeyPath] = {}
    for path, account, bus_name, written in buses:
        if not written and not re.fullmatch(BUS_NAME, bus_name):
            message = (
                f"the bus would be named {shown(bus_name)}, {len(bus_name)} characters; allowed: {BUS_NAME_ALLOWED}"
            )
            yield given.problem(path, message)
        other = owners.setdefault((str(account), bus_name), path)
        if other != path:
            message = (
                f"the bus would be named {bus_name!r} like that of {dotted(other)} in the same account; "
                "give one of them another name"
            )
            yield given.problem(path, message)


def loose_ends(topology: Topology) -> Iterator[tuple[KeyPath, str]]:
    """What is allowed and yet most likely a mistake."""
    publishers: defaultdict[str, set[str]] = defaultdict(set)
    for name, service in topology.services.items():
        for detail_type in service.publishes:
            publishers[detail_type].add(topology.source_of(name))
    for name, service in topology.services.items():
        own = topology.source_of(name)
        for index, one in enumerate(service.subscribes):
            others = publishers[one.detail_type] - {own}
            path = ("services", name, "subscribes", index)
            if not others:
                hint = meant(one.detail_type, [key for key, found in publishers.items() if found - {own}])
                yield path, f"no other service publishes {one.detail_type!r}{hint}; nothing arrives until one does"
            elif one.source is not None and one.source not in others:
                yield (
                    path,
                    f"{one.source!r} does not publish {one.detail_type!r}; {', '.join(sorted(others))} does",
                )
    for name in topology.accounts:
        if name not in topology.accounts_in_use:
            yield (
                ("accounts", name),
                "no service and no bus is in this account: its stack has nothing but the provider, so applying it "
                "destroys what was there; then the account can leave the file",
            )
    if not topology.services:
        yield (), "no services are declared: the global bus will have nobody to forward to"
