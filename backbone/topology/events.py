"""Whether what services publish and what they subscribe to agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator
from typing import Any

from backbone.aws.events import DETAIL_TYPES, is_reserved
from backbone.topology import defaults
from backbone.topology.fields import NO_EVENTS_OF_AWS
from backbone.topology.models import Topology
from backbone.topology.raw import called, mappings, sources
from backbone.topology.source import KeyPath, Problem, Source, format_value, suggestion
from backbone.topology.subscriptions import SubscriptionEntry, misplaced, words

__all__ = ["check", "loose_ends"]


def check(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    """The errors between entries, found in the file's plain values."""
    yield from _check_sources(given, top)
    yield from _check_publishes(given, top)
    yield from _check_subscribes(given, top)
    yield from _check_relays(given, top)
    yield from _check_confidential(given, top)


def loose_ends(topology: Topology, given: Source) -> Iterator[Problem]:
    """Warnings about what is allowed and yet most likely a mistake."""
    yield from _unmet_subscriptions(topology, given)
    yield from _wide_prefixes(topology, given)
    yield from _idle_buses(topology, given)
    yield from _existing_buses(topology, given)
    yield from _lonely_hubs(topology, given)
    yield from _not_hidden(topology, given)


def _check_sources(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, service in mappings(top, "services"):
        for source, path in sources(name, service).items():
            if owners.setdefault(source, name) != name:
                yield given.problem(
                    path,
                    f"got {format_value(source)}, which is the source of {owners[source]!r} already; give one of "
                    "the two another source",
                )
            if path == ("services", name) and is_reserved(source):
                yield given.problem(
                    path,
                    f"the source would be {format_value(source)}, which is reserved for AWS; give the service a source "
                    "of its own or another name",
                )


def _listed(service: dict[str, Any], key: str) -> list[Any]:
    entries = service.get(key)
    return entries if isinstance(entries, list) else []


def _as_mapping(entry: Any) -> dict[str, Any]:
    return entry if isinstance(entry, dict) else {"detail_type": entry}


def _repeated(given: Source, path: KeyPath, entries: list[Any], shown: list[Any]) -> Iterator[Problem]:
    for index, entry in enumerate(entries):
        if entry in entries[:index]:
            yield given.problem((*path, index), f"got {format_value(shown[index])} a second time; keep one of them")


def _check_publishes(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    for name, service in mappings(top, "services"):
        own = defaults.source(called(name, service), service.get("source"))
        entries = [_as_mapping(entry) for entry in _listed(service, "publishes")]
        types = [entry.get("detail_type") for entry in entries]
        events = [{"source": own} | {key: one[key] for key in one if key != "bus"} for one in entries]
        yield from _repeated(given, ("services", name, "publishes"), events, types)


def _check_subscribes(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    for name, service in mappings(top, "services"):
        path: KeyPath = ("services", name, "subscribes")
        entries = [_as_mapping(entry) for entry in _listed(service, "subscribes")]
        yield from _repeated(
            given, path, entries, [entry.get("detail_type") or entry.get("source") for entry in entries]
        )
        if service.get("receives") == "none":
            for key in ("subscribes", "bus_name", "bus_arn"):
                if service.get(key):
                    yield given.problem(
                        ("services", name, key),
                        f"given with receives: none, by which the service has no local bus; drop {key}, or receives",
                    )
        names: set[str] = set()
        for index, entry in enumerate(entries):
            yield from _check_subscription(given, (*path, index), entry, sources(name, service))
            if isinstance(word := entry.get("name"), str):
                if word in names:
                    yield given.problem(
                        (*path, index, "name"), f"got {format_value(word)} a second time; give each entry its own"
                    )
                names.add(word)


def _check_subscription(given: Source, path: KeyPath, entry: dict[str, Any], own: Container[str]) -> Iterator[Problem]:
    source, detail = entry.get("source"), entry.get("detail")
    if entry.get("detail_type") is None and source is None:
        yield given.problem(
            path, "has neither detail_type nor source; say what is received, as in detail_type: Order.Created"
        )
    listed = source if isinstance(source, list) else [source]
    for word in (one for one in listed if isinstance(one, str) and one in own):
        yield given.problem(
            (*path, "source"),
            f"got {format_value(word)}, the service's own source; an event never goes back to its sender: drop the "
            f"{'source' if isinstance(source, list) else 'entry'}",
        )
    if isinstance(detail, dict) and (wrong := misplaced({"detail": detail})):
        place, message = wrong
        yield given.problem((*path, *place), message)


def _check_relays(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    for name, service in mappings(top, "services"):
        for key, relay in mappings(service, "relays"):
            pattern = relay.get("pattern")
            if isinstance(pattern, dict) and (wrong := misplaced(pattern)):
                place, message = wrong
                yield given.problem(("services", name, "relays", key, "pattern", *place), message)


def _check_confidential(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    entries = top.get("confidential")
    entries = entries if isinstance(entries, list) else []
    for index, entry in enumerate(entries):
        if entry in entries[:index]:
            yield given.problem(("confidential", index), f"got {format_value(entry)} a second time; keep one of them")
    for name, service in mappings(top, "services"):
        types = service.get("publishes") if service.get("confidential") is True else None
        for index, entry in enumerate(types if isinstance(types, list) else ()):
            detail_type = _as_mapping(entry).get("detail_type")
            if isinstance(detail_type, str) and ('"' in detail_type or "\\" in detail_type):
                yield given.problem(
                    ("services", name, "publishes", index),
                    f'got {format_value(detail_type)} of a confidential service; allowed: a detail-type without " and '
                    "\\, which EventBridge would not escape in the log",
                )


def _existing_buses(topology: Topology, given: Source) -> Iterator[Problem]:
    """Local buses whose policy would have to admit a role of another account, and is not the backbone's to write."""
    for name, service in topology.services.items():
        if topology.receives_elsewhere(name) and any(
            topology.forwarding_account(name, hub) != service.account for hub in topology.hubs_of(name)
        ):
            key = "bus_arn" if service.bus_arn else "bus_name"
            yield given.problem(
                ("services", name, key),
                f"got {format_value(service.bus_arn or service.bus_name)}, a bus that exists and whose policy is left "
                "as it is; allowed with rules: owner, by which the forwarding rule and its role are of the service's "
                f"own account; or drop {key}, and a bus is made",
            )


def _lonely_hubs(topology: Topology, given: Source) -> Iterator[Problem]:
    """Further global buses that no service is on."""
    on = {hub.key for name in topology.services for hub in topology.hubs_of(name)}
    for key in topology.buses if topology.services else ():
        if key not in on:
            yield given.warning(("buses", key), f"no service is on this bus; add it to a service, as in buses: [{key}]")


def _wide_prefixes(topology: Topology, given: Source) -> Iterator[Problem]:
    """Prefixes that would take a service's own events, where the sources of all others are not known."""
    for name, service in topology.services.items():
        shares = len(topology.services_by_account[service.account]) > 1 and _hears_others(topology, name)
        for index, entry in enumerate(service.subscribes if shares else ()):
            own = [
                source for source in topology.sources_of(name) if entry.source is not None and entry.takes_from(source)
            ]
            if own:
                yield given.problem(
                    ("services", name, "subscribes", index, "source"),
                    f"takes {', '.join(own)} of the service itself, which shares its account, and a pattern cannot "
                    "leave that out of a prefix; list the sources, or give the service an account of its own",
                )


def _idle_buses(topology: Topology, given: Source) -> Iterator[Problem]:
    for name, service in topology.services.items():
        if topology.routing == "subscribed" and service.receives == "bus" and not service.subscribes:
            yield given.warning(
                ("services", name),
                "subscribes to nothing, so with routing: subscribed nothing is ever forwarded to its local bus, whose "
                "policy admits a role that is not made; say receives: none to have no bus, or what it subscribes to",
            )


def _hears_others(topology: Topology, service: str) -> bool:
    """Whether a service is on a bus of somebody else, on which anybody may publish anything."""
    return not all(hub.is_made for hub in topology.hubs_of(service))


def _unmet_subscriptions(topology: Topology, given: Source) -> Iterator[Problem]:
    publishers: defaultdict[str, set[str]] = defaultdict(set)
    for name in topology.services:
        for event in topology.published_by(name):
            publishers[event.detail_type].add(event.source)
    for name, service in topology.services.items():
        own = set(topology.sources_of(name))
        keys = {hub.key for hub in topology.hubs_of(name)}
        for index, subscription in enumerate(service.subscribes if not _hears_others(topology, name) else ()):
            path = ("services", name, "subscribes", index)
            others = {detail_type: found for detail_type, those in publishers.items() if (found := those - own)}
            yield from (given.warning(path, message) for message in _unmet(subscription, others))
            if missed := sorted(topology.published_for(name, subscription) - keys):
                yield given.warning(
                    path,
                    f"{words(subscription)} is published on {' and '.join(missed)} as well, which the service is not on"
                    if len(missed) < len(topology.published_for(name, subscription))
                    else f"{words(subscription)} is published on {' and '.join(missed)} only, which the service is not "
                    f"on, so it never arrives; add it, as in buses: [{', '.join([*sorted(keys), *missed])}]",
                )


def _unmet(entry: SubscriptionEntry, others: dict[str, set[str]]) -> Iterator[str]:
    """Why nothing that others publish, by detail-type the sources, is what an entry subscribes to."""
    if any(entry.takes(detail_type, source) for detail_type, sources in others.items() for source in sources):
        return
    detail_type, sources = entry.detail_type, sorted({source for found in others.values() for source in found})
    if detail_type is None:
        hint = suggestion(entry.source_words[0], sources)
        yield f"no other service publishes {words(entry)}{hint}; nothing arrives until one does"
    elif detail_type in others:
        yield (
            f"{format_value(' or '.join(entry.source_words))} does not publish {format_value(detail_type)}; it is "
            f"published by {', '.join(sorted(others[detail_type]))}"
        )
    elif is_reserved(detail_type):
        yield f"{format_value(detail_type)} looks like a source, and no service publishes it; {NO_EVENTS_OF_AWS}"
    elif detail_type in DETAIL_TYPES:
        yield f"{format_value(detail_type)} is a detail-type of AWS, and no service publishes it; {NO_EVENTS_OF_AWS}"
    else:
        hint = suggestion(detail_type, others)
        yield f"no other service publishes {format_value(detail_type)}{hint}; nothing arrives until one does"


def _not_hidden(topology: Topology, given: Source) -> Iterator[Problem]:
    published = sorted({detail_type for service in topology.services.values() for detail_type in service.detail_types})
    for index, detail_type in enumerate(topology.confidential):
        if detail_type not in published:
            yield given.warning(
                ("confidential", index),
                f"no service publishes {format_value(detail_type)}{suggestion(detail_type, published)}",
            )
    hidden = topology.confidential or any(service.confidential for service in topology.services.values())
    if hidden and topology.logs.bus and topology.logs.bus.detail == "FULL":
        yield given.warning(
            ("logs", "bus", "detail"),
            "FULL shows the detail of confidential events in what buses report; NONE does not",
        )
