"""Whether the buses of a file agree with one another, and with the services that publish and receive on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from backbone.aws.names import BACKBONE_NAME, BUS_NAME, BUS_NAME_ALLOWED, DEFAULT_BUS, Names
from backbone.topology import defaults
from backbone.topology.raw import arn_of, called, elsewhere, global_buses, mapping, mappings
from backbone.topology.source import KeyPath, Problem, Source, dotted, format_value, suggestion

__all__ = ["check"]


def check(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    """The errors of global buses and local ones, found in the file's plain values."""
    if top.get("bus") is None and not top.get("buses"):
        yield given.problem(
            ("bus",),
            "is missing: the global bus, which every service publishes to and which forwards events to the services' "
            "local buses; add it, as in bus: {account: bus}",
        )
        return
    for path, _, bus in global_buses(top):
        yield from _check_global(given, path, bus, top)
    yield from _check_pipeline_account(given, top)
    known = [key for _, key, _ in global_buses(top)]
    for name, service in mappings(top, "services"):
        if known:
            yield from _check_buses_of(given, name, service, known, defaults.buses(top, service.get("buses")))
        yield from _check_local(given, name, service, top)
    yield from _check_distinct(given, top)


def _check_global(given: Source, path: KeyPath, bus: dict[str, Any], top: dict[str, Any]) -> Iterator[Problem]:
    """A bus is made in an account, or it exists."""
    arn = bus.get("arn")
    if bus.get("account") is None and arn is None:
        yield given.problem(
            (*path, "account"), "is missing: the account that the global bus is made in; add it, as in account: bus"
        )
    for key in ("account", "name", "archive_days") if arn is not None else ():
        if bus.get(key) is not None:
            yield given.problem(
                (*path, key), f"given together with arn, which is of a bus that exists; drop {key}, or arn"
            )
    if words := elsewhere(top, arn, "a bus"):
        yield given.problem((*path, "arn"), words)


def _check_buses_of(
    given: Source, name: str, service: dict[str, Any], known: list[str], named: Any
) -> Iterator[Problem]:
    """The buses that a service names must be declared, and what it publishes is on one of them."""
    path: KeyPath = ("services", name, "buses")
    if not named and service.get("buses") is None:
        yield given.problem(
            ("services", name),
            f"is on no global bus, and there are several: {', '.join(known)}; say which, as in buses: [{known[0]}]",
        )
        return
    if not isinstance(named, list | tuple):
        return  # the model says so
    for index, key in enumerate(named):
        if isinstance(key, str) and key not in known:
            allowed = f"{', '.join(known)}{suggestion(key, known)}"
            yield given.problem((*path, index), f"got {format_value(key)}; allowed: {allowed}")
        if key in named[:index]:
            yield given.problem((*path, index), f"got {format_value(key)} a second time; keep one of them")
    entries = service.get("publishes")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        bus = entry.get("bus") if isinstance(entry, dict) else None
        if isinstance(bus, str) and bus not in named:
            allowed = ", ".join(map(str, named))
            yield given.problem(
                ("services", name, "publishes", index, "bus"),
                f"got {format_value(bus)}; allowed: one of the service's buses: {allowed}"
                f"{suggestion(bus, [str(key) for key in named])}",
            )


def _check_local(given: Source, name: str, service: dict[str, Any], top: dict[str, Any]) -> Iterator[Problem]:
    """A local bus that exists is in the service's account, where its rules are."""
    path: KeyPath = ("services", name, "bus_arn")
    if service.get("bus_arn") is not None and service.get("bus_name") is not None:
        yield given.problem(path, "given together with bus_name; allowed: one of the two, or neither")
    arn = arn_of(service.get("bus_arn"))
    account = mapping(top, "accounts", str(service.get("account"))).get("id")
    if arn and isinstance(account, str) and arn.account_id != account:
        words = f"got a bus in the account {arn.account_id}; allowed: one in the service's own account, {account}"
        yield given.problem(path, words)
    if words_of_region := elsewhere(top, service.get("bus_arn"), "a bus"):
        yield given.problem(path, words_of_region)


def _check_pipeline_account(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    """The pipeline's roles are in an account that the file has: that of the main global bus, unless it says another."""
    deployment = mapping(top, "deployment")
    read = arn_of(next((bus for _, _, bus in global_buses(top)), {}).get("arn"))
    needs_account = deployment.get("by") in ("github", "gitlab") and "account" not in deployment
    accounts = [entry.get("id") for _, entry in mappings(top, "accounts")]
    if read and needs_account and read.account_id not in accounts:
        words = "is missing: the global bus, in whose account it would be, is elsewhere; say in which account"
        yield given.problem(("deployment", "account"), words)


class _Bus(NamedTuple):
    """A bus of the file: where that has it, the key that could name another, and its account and name in AWS."""

    path: KeyPath
    key: str
    entry: dict[str, Any]
    account_id: str
    name: str


def _check_distinct(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    """Default bus names must suit AWS as well, and no two buses of the file are one and the same.

    Else a service would get its own events back, or what is made would be what exists.
    """
    owners: dict[tuple[str, str], _Bus] = {}
    for bus in _all_buses(top):
        named = bus.entry.get(bus.key) is not None
        if not named and not re.fullmatch(BUS_NAME, bus.name):
            yield given.problem(
                bus.path,
                f"the bus would be named {format_value(bus.name)}; allowed: {BUS_NAME_ALLOWED}; "
                f"give it a name of its own by {bus.key}",
            )
        other = owners.setdefault((bus.account_id, bus.name), bus)
        if other is bus:
            continue
        whose = dotted(other.path)
        if "arn" in bus.key or bus.name == DEFAULT_BUS:
            words = f"got {format_value(bus.entry[bus.key])}, the bus of {whose} already; allowed: a bus of its own"
            yield given.problem((*bus.path, bus.key), words)
        else:
            yield given.problem(
                bus.path,
                f"the bus would be named {format_value(bus.name)}, like that of {whose} in the same account; "
                f"give it another name by {bus.key}",
            )


def _all_buses(top: dict[str, Any]) -> Iterator[_Bus]:
    """The global buses and the local ones, as far as the file says them."""
    name, region = top.get("name"), top.get("region")
    if not isinstance(name, str) or not re.fullmatch(BACKBONE_NAME, name) or not isinstance(region, str):
        return
    names = Names(name, region)
    found = [
        (path, "arn", "name", bus, defaults.global_bus(names, key, bus.get("name")))
        for path, key, bus in global_buses(top)
    ]
    found += [
        (
            ("services", key),
            "bus_arn",
            "bus_name",
            one,
            defaults.local_bus(names, called(key, one), one.get("bus_name")),
        )
        for key, one in mappings(top, "services")
        if one.get("receives") != "none"
    ]
    for path, by_arn, by_name, entry, bus_name in found:
        if arn := arn_of(entry.get(by_arn)):
            yield _Bus(path, by_arn, entry, arn.account_id, arn.name)
        elif entry.get(by_arn) is None and isinstance(bus_name, str):
            account = str(entry.get("account"))
            account_id = mapping(top, "accounts", account).get("id")
            yield _Bus(path, by_name, entry, str(account_id or account), bus_name)
