"""Whether the entries of a file agree with one another, which none of them can tell alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from backbone.aws.arn import Arn, ArnError
from backbone.aws.limits import ROLE_NAME_CHARACTERS, TAGS_PER_RESOURCE
from backbone.aws.names import BACKBONE_NAME, BACKBONE_TAG, BUS_NAME, BUS_NAME_ALLOWED, GLOBAL, PLAN_SUFFIX, Names
from backbone.aws.regions import REGIONS, partition_of
from backbone.topology import defaults, events
from backbone.topology.models import Topology
from backbone.topology.raw import called, mapping, mappings
from backbone.topology.source import KeyPath, Problem, Source, dotted, format_value, suggestion

__all__ = ["check", "loose_ends"]


def check(given: Source) -> Iterator[Problem]:
    """The errors between entries. They are found in the file's plain values, so beside errors of the models."""
    top = given.value
    if not isinstance(top, dict):
        return
    yield from _check_references(given, top)
    yield from _check_accounts(given, top)
    yield from _check_deployment(given, top)
    yield from _check_region(given, top)
    yield from _check_arns(given, top)
    yield from _check_known_as(given, top)
    yield from events.check(given, top)
    yield from _check_modules(given, top)
    yield from _check_bus_names(given, top)
    yield from _check_buses(given, top)


def _check_references(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    accounts = mapping(top, "accounts")
    if not accounts:
        return  # the model says so
    places: list[tuple[KeyPath, dict[str, Any]]] = [(path, bus) for path, _, bus in _buses(top)]
    places += [(("services", name), service) for name, service in mappings(top, "services")]
    for path, entry in places:
        account = entry.get("account")
        if isinstance(account, str) and account not in accounts:
            yield given.problem(
                (*path, "account"),
                f"got {format_value(account)}; allowed: an account declared under accounts: "
                f"{', '.join(accounts)}{suggestion(account, accounts)}",
            )


def _check_accounts(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, account in mappings(top, "accounts"):
        number = account.get("id")
        if isinstance(number, str) and owners.setdefault(number, name) != name:
            yield given.problem(
                ("accounts", name, "id"),
                f"got {format_value(number)}, the id of {owners[number]!r} already; declare the account once, and let "
                "services share it",
            )
        if "deploy_role" in account and "profile" in account:
            yield given.problem(
                ("accounts", name, "profile"), "given together with deploy_role; allowed: one of the two, or neither"
            )


def _check_deployment(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    """What `deployment` asks of the rest of the file."""
    if top.get("deployment") is None:
        return
    for name, account in mappings(top, "accounts"):
        if account.get("deploy_role") is None:
            yield given.problem(
                ("accounts", name),
                "has no deploy_role, which deployment needs in every account: it is the role that `backbone bootstrap` "
                "makes; add it, as in deploy_role: backbone-deploy",
            )
            continue
        size = len(str(account["deploy_role"]).rpartition("/")[2])
        if size > (longest := ROLE_NAME_CHARACTERS - len(PLAN_SUFFIX)):
            yield given.problem(
                ("accounts", name, "deploy_role"),
                f"got a name of {size} characters; allowed with deployment: at most {longest}, since the role that "
                f"plans has the same name and {PLAN_SUFFIX}",
            )
    in_files = top.get("state") is None or mapping(top, "state").get("backend") == "local"
    if in_files and mapping(top, "deployment").get("by") == "codepipeline":
        yield given.problem(
            ("state",) if "state" in top else ("deployment", "by"),
            "keeps the state in files, which a build of CodePipeline loses; allowed: a bucket or workspaces, as in "
            "state: {backend: s3, bucket: example-terraform-state}",
        )
    tags = mapping(top, "tags")
    if BACKBONE_TAG in tags:
        yield given.problem(
            ("tags", BACKBONE_TAG),
            "is the tag by which deploy roles know the backbone's resources, and synth gives it with deployment; "
            "give this tag another name",
        )
    elif len(tags) == TAGS_PER_RESOURCE:
        yield given.problem(
            ("tags",),
            f"got {len(tags)} entries; allowed: at most {TAGS_PER_RESOURCE - 1} with deployment, which adds the tag "
            f"{BACKBONE_TAG}",
        )


def _check_region(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    region, partition = top.get("region"), top.get("partition")
    if not isinstance(region, str):
        return
    known = partition_of(region)
    if known is None and partition is None:
        every = [name for regions in REGIONS.values() for name in regions]
        yield given.problem(
            ("region",),
            f"got {format_value(region)}; allowed: a region of AWS, as in eu-west-1{suggestion(region, every)}; for a "
            "region that is too new to be known here, give its partition as well, as in partition: aws",
        )
    elif known is None and not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", region):
        yield given.problem(("region",), f"got {format_value(region)}; allowed: a region's name, as in eu-west-1")
    elif known is not None and isinstance(partition, str) and partition in REGIONS and partition != known:
        yield given.problem(
            ("partition",), f"got {format_value(partition)}; allowed: {known}, which {region} belongs to"
        )


def _check_arns(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    """Keys and layers are used from their own region only."""
    region = top.get("region")
    places: list[tuple[KeyPath, Any, str]] = [(("kms_key",), top.get("kms_key"), "a key")]
    places += [
        (("accounts", name, "kms_key"), entry.get("kms_key"), "a key") for name, entry in mappings(top, "accounts")
    ]
    places.append((("powertools_layer",), top.get("powertools_layer"), "a layer"))
    for path, text, what in places:
        try:
            arn = Arn.parse(text) if isinstance(text, str) else None
        except ArnError:
            continue  # the model says so
        if arn and isinstance(region, str) and arn.region != region:
            yield given.problem(path, f"got {what} in {arn.region}; allowed: {what} in {region}, the backbone's region")


def _check_known_as(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, service in sorted(mappings(top, "services"), key=lambda found: "known_as" in found[1]):
        known_as = called(name, service)
        if owners.setdefault(known_as, name) != name:
            yield given.problem(
                ("services", name, "known_as"),
                f"got {format_value(known_as)}, which {owners[known_as]!r} goes by already; give it another name",
            )


def _buses(top: dict[str, Any]) -> Iterator[tuple[KeyPath, str, dict[str, Any]]]:
    """The global buses with their places and names."""
    if isinstance(bus := top.get("bus"), dict):
        yield ("bus",), GLOBAL, bus
    yield from ((("buses", key), key, bus) for key, bus in mappings(top, "buses"))


def _check_buses(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    """The global buses, and who is on them."""
    if top.get("bus") is None and not top.get("buses"):
        yield given.problem(
            ("bus",),
            "is missing: the global bus, which every service publishes to and which forwards events to the services' "
            "local buses; add it, as in bus: {account: bus}",
        )
        return
    arns: dict[str, KeyPath] = {}
    for path, _, bus in _buses(top):
        yield from _check_bus(given, path, bus, top.get("region"))
        if isinstance(arn := bus.get("arn"), str) and (other := arns.setdefault(arn, path)) != path:
            yield given.problem((*path, "arn"), f"is that of {dotted(other)} already; declare the bus once")
    yield from _check_pipeline_account(given, top)
    known = [key for _, key, _ in _buses(top)]
    for name, service in mappings(top, "services") if known else ():
        yield from _check_buses_of(given, name, service, known, defaults.buses(top, service.get("buses")))
        yield from _check_local_bus(given, name, service, top)


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


def _check_local_bus(given: Source, name: str, service: dict[str, Any], top: dict[str, Any]) -> Iterator[Problem]:
    """A local bus that exists is in the service's account, where its rules are."""
    path: KeyPath = ("services", name, "bus_arn")
    if service.get("bus_arn") is not None and service.get("bus_name") is not None:
        yield given.problem(path, "given together with bus_name; allowed: one of the two, or neither")
    try:
        arn = Arn.parse(service["bus_arn"]) if isinstance(service.get("bus_arn"), str) else None
    except ArnError:
        return  # the model says so
    account = mapping(top, "accounts", str(service.get("account"))).get("id")
    if arn and isinstance(account, str) and arn.account_id != account:
        words = f"got a bus in the account {arn.account_id}; allowed: one in the service's own account, {account}"
        yield given.problem(path, words)
    if arn and isinstance(region := top.get("region"), str) and arn.region != region:
        words = f"got a bus in {arn.region}; allowed: a bus in {region}, the backbone's region"
        yield given.problem(path, words)


def _check_bus(given: Source, path: KeyPath, bus: dict[str, Any], region: Any) -> Iterator[Problem]:
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
    try:
        read = Arn.parse(arn) if isinstance(arn, str) else None
    except ArnError:
        return  # the model says so
    if read and isinstance(region, str) and read.region != region:
        words = f"got a bus in {read.region}; allowed: a bus in {region}, the backbone's region"
        yield given.problem((*path, "arn"), words)


def _check_pipeline_account(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    """The pipeline's roles are in an account that the file has: that of the main global bus, unless it says another."""
    deployment = mapping(top, "deployment")
    main = next((bus for _, _, bus in _buses(top)), {})
    try:
        read = Arn.parse(main["arn"]) if isinstance(main.get("arn"), str) else None
    except ArnError:
        return  # the model says so
    needs_account = deployment.get("by") in ("github", "gitlab") and "account" not in deployment
    accounts = [entry.get("id") for _, entry in mappings(top, "accounts")]
    if read and needs_account and read.account_id not in accounts:
        words = "is missing: the global bus, in whose account it would be, is elsewhere; say in which account"
        yield given.problem(("deployment", "account"), words)


def _check_modules(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    for name, service in mappings(top, "services"):
        if service.get("settings") and service.get("module") is None:
            yield given.problem(
                ("services", name, "settings"),
                "given without a module, so nothing would read them; add the module, or drop the settings",
            )


def _check_bus_names(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    """Default bus names must suit AWS as well, and no two buses of an account share a name."""
    name, region = top.get("name"), top.get("region")
    if not isinstance(name, str) or not re.fullmatch(BACKBONE_NAME, name) or not isinstance(region, str):
        return
    names = Names(name, region)
    buses: list[tuple[KeyPath, str, Any, Any]] = [
        *(
            (path, "name", bus, defaults.global_bus(names, key, bus.get("name")))
            for path, key, bus in _buses(top)
            if "arn" not in bus
        ),
        *(
            (
                ("services", key),
                "bus_name",
                service,
                defaults.local_bus(names, called(key, service), service.get("bus_name")),
            )
            for key, service in mappings(top, "services")
            if service.get("receives") != "none" and service.get("bus_arn") is None
        ),
    ]
    owners: dict[tuple[str, str], KeyPath] = {}
    for path, key, entry, bus_name in buses:
        if not isinstance(bus_name, str):
            continue
        if entry.get(key) is None and not re.fullmatch(BUS_NAME, bus_name):
            yield given.problem(
                path,
                f"the bus would be named {format_value(bus_name)}; allowed: {BUS_NAME_ALLOWED}; "
                f"give it a name of its own by {key}",
            )
        other = owners.setdefault((str(entry.get("account")), bus_name), path)
        if other != path:
            yield given.problem(
                path,
                f"the bus would be named {format_value(bus_name)}, like that of {dotted(other)} in the same account; "
                f"give it another name by {key}",
            )


def loose_ends(topology: Topology, given: Source) -> Iterator[Problem]:
    """Warnings about what is allowed and yet most likely a mistake."""
    yield from events.loose_ends(topology, given)
    for name in topology.accounts:
        if name not in topology.accounts_in_use:
            yield given.warning(
                ("accounts", name),
                "no service and no bus of the backbone is in this account: its stack has nothing but the provider, so "
                "applying it destroys what was there; then the account can leave the file",
            )
    if not topology.services:
        yield given.warning((), "no services are declared, so nothing is forwarded to anybody")
