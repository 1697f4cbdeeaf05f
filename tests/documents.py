"""Random files, and what they declare, read from their plain values alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from hypothesis import strategies as st

from backbone.topology import Topology, parse
from tests.patterns import reference

__all__ = ["DETAILS", "Declared", "DeclaredBus", "Published", "documents", "event_bus", "prefixes", "topology"]

Document = dict[str, Any]

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,11}", fullmatch=True)
TYPES = st.sampled_from(["Order.Created", "Order.Updated", "Delivery.Updated", "Invoice.Paid", "Ünïcode Type"])
SOMEBODY = "999999999999"
"""An account that the file does not have."""

DETAILS: list[dict[str, Any]] = [{"n": 0, "kind": "tea"}, {"n": 7, "kind": "coffee"}, {"n": 200}]
FILTERS: list[dict[str, Any]] = [
    {"n": [{"numeric": [">", 5]}]},
    {"kind": ["tea"]},
    {"kind": [{"exists": False}]},
    {"$or": [{"n": [0]}, {"kind": [{"prefix": "cof"}]}]},
    {"data": {"detail": {"size": [5]}}},
]
"""Filters, and details of which each matches some; the last matches what relays publish."""


def topology(document: Document) -> Topology:
    return parse(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def event_bus(account_id: str, name: str) -> str:
    return f"arn:aws:events:eu-west-1:{account_id}:event-bus/{name}"


def distinct(found: list[Any]) -> list[Any]:
    return [one for index, one in enumerate(found) if one not in found[:index]]


@dataclass(frozen=True)
class DeclaredBus:
    """A bus as a file declares it. `account` is None where the file does not have it."""

    account: str | None
    account_id: str
    name: str
    is_made: bool

    @property
    def arn(self) -> str:
        return event_bus(self.account_id, self.name)


@dataclass(frozen=True)
class Published:
    """Events that a service is declared to publish, and the name of the global bus that they are put on."""

    detail_type: str
    source: str
    hub: str


class Declared:
    """What a valid file says, as its reference documents it. Nothing of the package is asked."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.services: dict[str, Document] = document["services"]
        self.owners_rules: bool = document.get("rules") == "owner"
        self.hubs = {key: self._hub(key, entry) for key, entry in self._hub_entries()}

    def account_id(self, account: str) -> str:
        found: str = self.document["accounts"][account]["id"]
        return found

    def _hub_entries(self) -> Iterator[tuple[str, Document]]:
        if self.document.get("bus"):
            yield "global", self.document["bus"]
        yield from self.document.get("buses", {}).items()

    def _hub(self, key: str, entry: Document) -> DeclaredBus:
        if "arn" in entry:
            account_id, name = entry["arn"].split(":")[4], entry["arn"].partition("/")[2]
            ids = {self.account_id(account): account for account in self.document["accounts"]}
            return DeclaredBus(ids.get(account_id), account_id, name, is_made=False)
        prefix = self.document["name"] if key == "global" else f"{self.document['name']}-{key}"
        name = entry.get("name", f"{prefix}-global")
        return DeclaredBus(entry["account"], self.account_id(entry["account"]), name, is_made=True)

    def called(self, service: str) -> str:
        found: str = self.services[service].get("known_as", service)
        return found

    def source(self, service: str) -> str:
        """The source of a service's events, where they are not declared to have another."""
        found: str = self.services[service].get("source", self.called(service))
        return found

    def hubs_of(self, service: str) -> list[str]:
        """The names of the global buses that a service is on, the one that it publishes on first."""
        found: list[str] = self.services[service].get("buses") or [next(iter(self.hubs))]
        return found

    def published_by(self, service: str) -> list[Published]:
        own = self.source(service)
        first = self.hubs_of(service)[0]
        given = self.services[service].get("publishes", [])
        entries = [one if isinstance(one, dict) else {"detail_type": one} for one in given]
        return [Published(one["detail_type"], one.get("source", own), one.get("bus", first)) for one in entries]

    def local_bus(self, service: str) -> DeclaredBus | None:
        """The bus that a service receives on."""
        given = self.services[service]
        if given.get("receives") == "none":
            return None
        account, account_id = given["account"], self.account_id(given["account"])
        if "bus_arn" in given:
            return DeclaredBus(account, account_id, given["bus_arn"].partition("/")[2], is_made=False)
        name = given.get("bus_name", f"{self.document['name']}-{self.called(service)}")
        return DeclaredBus(account, account_id, name, is_made=name != "default")

    def wants(self, service: str, event: Document) -> bool:
        """Whether a service is to get what is put on a bus that it is on by somebody else."""
        if self.document.get("routing") != "subscribed":
            return True
        return any(reference.matches(_pattern(one), event) for one in self.services[service].get("subscribes", []))

    def receivers(self, sender: str, published: Published, detail: Document) -> set[DeclaredBus]:
        """The local buses that an event is to reach."""
        event = {"detail-type": published.detail_type, "source": published.source, "detail": detail}
        return {
            local
            for name in self.services
            if name != sender and published.hub in self.hubs_of(name) and self.wants(name, event)
            if (local := self.local_bus(name))
        }

    def _meets(self, subscription: Any, receiver: str, hub: str) -> bool:
        """Whether others publish on a global bus what an entry of `subscribes` asks for, whatever its detail."""
        asked = {key: value for key, value in _pattern(subscription).items() if key != "detail"}
        return any(
            published.hub == hub
            and reference.matches(asked, {"detail-type": published.detail_type, "source": published.source})
            for name in self.services
            if name != receiver
            for published in self.published_by(name)
        )

    def has_rule(self, service: str, hub: str) -> bool | None:
        """Whether a global bus forwards to a service that is on it; None where the reference leaves it open."""
        entries = self.services[service].get("subscribes", [])
        if self.document.get("routing") != "subscribed" or not entries:
            return self.document.get("routing") != "subscribed"
        if not self.hubs[hub].is_made or any(self._meets(entry, service, hub) for entry in entries):
            return True
        hubs = self.hubs_of(service)
        return False if all(any(self._meets(entry, service, one) for one in hubs) for entry in entries) else None

    def owns_rules(self, hub: str) -> bool:
        """Whether a service's account has its rule on a global bus, not the account of the bus."""
        return self.owners_rules or self.hubs[hub].account is None

    def rule_account(self, service: str, hub: str) -> str:
        """The account that has the rule by which a global bus forwards to a service."""
        own: str = self.services[service]["account"]
        return own if self.owns_rules(hub) else str(self.hubs[hub].account)


def _pattern(entry: Any) -> Document:
    """The event pattern of what an entry of `subscribes` asks for."""
    given = entry if isinstance(entry, dict) else {"detail_type": entry}
    source = given.get("source")
    found = {
        "detail-type": [given["detail_type"]] if "detail_type" in given else None,
        "source": source if isinstance(source, list | None) else [source],
        "detail": given.get("detail"),
    }
    return {key: value for key, value in found.items() if value is not None}


@st.composite
def subscriptions(draw: st.DrawFn, others: list[str]) -> list[Any]:
    """Entries of `subscribes`: detail-types alone, from sources of others, and of some details only."""
    prefixes = [{"prefix": others[0][:size]} for size in (1, 2)] if others else []
    sources = st.sampled_from([*others, "nobody", *prefixes, others]) if others else st.nothing()
    mixed = st.lists(st.sampled_from([*others, *prefixes]), min_size=1, max_size=2).map(distinct) if others else sources
    entry = st.fixed_dictionaries(
        {"detail_type": TYPES}, optional={"source": sources | mixed, "detail": st.sampled_from(FILTERS)}
    )
    of_source = st.fixed_dictionaries({"source": sources | mixed}, optional={"detail": st.sampled_from(FILTERS)})
    types = TYPES.map(lambda detail_type: {"detail_type": detail_type})
    found = distinct(draw(st.lists(types | entry | of_source, max_size=3)))
    return [one["detail_type"] if one.keys() == {"detail_type"} else one for one in found]


def prefixes(subscription: Any) -> list[str]:
    """What the sources of an entry of `subscribes` begin with, where it says no more of them."""
    source = subscription.get("source") if isinstance(subscription, dict) else None
    return [one["prefix"] for one in (source if isinstance(source, list) else [source]) if isinstance(one, dict)]


@st.composite
def buses(draw: st.DrawFn, accounts: list[str], ids: list[str]) -> dict[str, Document]:
    """The global buses: that of `bus` as `global` where there is one, and any number of others."""
    keys = draw(st.lists(NAMES.filter(lambda key: key != "global"), max_size=3, unique=True))
    if not keys or draw(st.booleans()):
        keys = ["global", *keys]
    found: dict[str, Document] = {}
    for number, key in enumerate(keys):
        pins = {"pin_detail_types": draw(st.booleans())}
        if draw(st.sampled_from([True, True, False])):
            name = draw(st.sampled_from([{}, {}, {"name": f"Named.{number}"}]))
            found[key] = {"account": draw(st.sampled_from(accounts)), "archive_days": draw(st.sampled_from([0, 30]))}
            found[key] |= name | pins
        else:
            taken = [one.get("arn") for one in found.values()]
            arns = [event_bus(one, name) for one in (*ids, SOMEBODY) for name in (f"company-{number}", "default")]
            found[key] = {"arn": draw(st.sampled_from([arn for arn in arns if arn not in taken]))} | pins
    return found


@st.composite
def publications(draw: st.DrawFn, name: str, hubs: list[str]) -> list[Any]:
    """Entries of `publishes`: under the service's own source or others, on its first global bus or others."""
    entry = st.fixed_dictionaries(
        {"detail_type": TYPES},
        optional={"source": st.sampled_from([f"{name}.also", f"{name}.more"]), "bus": st.sampled_from(hubs)},
    )
    found = draw(st.lists(entry, max_size=3, unique_by=lambda one: (one["detail_type"], one.get("source"))))
    return [one["detail_type"] if one.keys() == {"detail_type"} else one for one in found]


@st.composite
def service_entries(draw: st.DrawFn, name: str, document: Document, hubs: dict[str, Document]) -> Document:
    """A service without what depends on others: subscriptions, and the bus that it receives on."""
    named = draw(st.lists(st.sampled_from(sorted(hubs)), min_size=1, max_size=3, unique=True))
    is_needed = "global" not in hubs and len(hubs) > 1
    first = next(iter(hubs))
    own: list[Document] = [] if is_needed else [{}]
    on: Document = draw(st.sampled_from([*own, {"buses": named}, {"buses": named}]))
    found: Document = {"account": draw(st.sampled_from(sorted(document["accounts"]))), **on}
    found |= draw(st.sampled_from([{}, {}, {"source": f"com.example.{name}"}, {"known_as": f"{name}-old"}]))
    found["publishes"] = draw(publications(name, on.get("buses", [first])))
    under_own = [
        one if isinstance(one, str) else one["detail_type"] for one in found["publishes"] if "source" not in one
    ]
    if under_own:
        relay = st.builds(
            lambda published: {"pattern": {"source": ["aws.s3"]}, "publishes": published}, st.sampled_from(under_own)
        )
        found |= draw(st.sampled_from([{}, {}, {"relays": {"uploads": draw(relay)}}]))
    return found


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A file's content: up to 5 services in up to 4 accounts on up to 4 global buses."""
    accounts = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    ids = {name: f"{n + 1}" * 12 for n, name in enumerate(accounts)}
    hubs = draw(buses(accounts, list(ids.values())))
    key = st.sampled_from([None, "create", "arn:aws:kms:eu-west-1:111111111111:key/1"])
    document: Document = {
        "name": "any",
        "region": "eu-west-1",
        "layout": draw(st.sampled_from(["single", "per-account"])),
        "rules": draw(st.sampled_from(["platform", "owner"])),
        "routing": draw(st.sampled_from(["broadcast", "subscribed"])),
        "accounts": {name: {"id": number} for name, number in ids.items()},
        "services": {},
        "logs": draw(st.sampled_from([{}, {"bus": {"level": "INFO"}}])),
        "confidential": draw(st.lists(TYPES, max_size=1)),
        "organization_id": draw(st.none() | st.just("o-a1b2c3d4e5")),
        "kms_key": draw(key),
    }
    if "global" in hubs:
        document["bus"] = hubs["global"]
    document["buses"] = {key: entry for key, entry in hubs.items() if key != "global"}
    named = NAMES.filter(lambda one: not one.endswith(("global", "-old")))
    count = draw(st.sampled_from([3, 2, 4, 5, 1, 0]))
    services: list[str] = draw(st.lists(named, min_size=count, max_size=count, unique=True))
    document["services"] = {name: draw(service_entries(name, document, hubs)) for name in services}
    declared = Declared(document)
    for name in services:
        draw(receiving(name, declared))
    return document


@st.composite
def receiving(draw: st.DrawFn, name: str, declared: Declared) -> None:
    """Say what a service receives, and on which bus. A file in which it could get its own events back is not valid."""
    service, services = declared.services[name], declared.services
    others = sorted({one.source for other in services if other != name for one in declared.published_by(other)})
    own = {one.source for one in declared.published_by(name)} | {declared.source(name)}
    shares = sum(one["account"] == service["account"] for one in services.values()) > 1
    hears_others = not all(declared.hubs[key].is_made for key in declared.hubs_of(name))
    service["subscribes"] = [
        one
        for one in draw(subscriptions(others))
        if not (shares and hears_others and any(source.startswith(tuple(prefixes(one))) for source in own))
    ]
    service["receives"] = "bus" if service["subscribes"] else draw(st.sampled_from(["bus", "none"]))
    if service["receives"] == "none":
        return
    ways: list[Document] = [{}, {}, {"bus_name": f"own.{name}"}]
    if all(declared.rule_account(name, key) == service["account"] for key in declared.hubs_of(name)):
        ways.append({"bus_arn": event_bus(declared.account_id(service["account"]), f"shared-{name}")})
        neighbours = [one for one in services.values() if one["account"] == service["account"]]
        default = event_bus(declared.account_id(service["account"]), "default")
        is_taken = any(one.get("bus_name") == "default" for one in neighbours)
        if not is_taken and default not in [hub.arn for hub in declared.hubs.values()]:
            ways.append({"bus_name": "default"})
    service |= draw(st.sampled_from(ways))
