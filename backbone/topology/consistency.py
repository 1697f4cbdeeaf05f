"""Whether the entries of a file agree with one another, which none of them can tell alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from backbone.aws.limits import ROLE_NAME_CHARACTERS, TAGS_PER_RESOURCE
from backbone.aws.names import BACKBONE_TAG, PLAN_SUFFIX
from backbone.aws.regions import REGIONS, partition_of
from backbone.topology import buses, events
from backbone.topology.models import Topology
from backbone.topology.raw import called, elsewhere, global_buses, mapping, mappings
from backbone.topology.source import KeyPath, Problem, Source, format_value, suggestion

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
    yield from buses.check(given, top)


def _check_references(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    accounts = mapping(top, "accounts")
    if not accounts:
        return  # the model says so
    places: list[tuple[KeyPath, dict[str, Any]]] = [(path, bus) for path, _, bus in global_buses(top)]
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
    places: list[tuple[KeyPath, Any, str]] = [(("kms_key",), top.get("kms_key"), "a key")]
    places += [
        (("accounts", name, "kms_key"), entry.get("kms_key"), "a key") for name, entry in mappings(top, "accounts")
    ]
    places.append((("powertools_layer",), top.get("powertools_layer"), "a layer"))
    for path, text, what in places:
        if words := elsewhere(top, text, what):
            yield given.problem(path, words)


def _check_known_as(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, service in sorted(mappings(top, "services"), key=lambda found: "known_as" in found[1]):
        known_as = called(name, service)
        if owners.setdefault(known_as, name) != name:
            yield given.problem(
                ("services", name, "known_as"),
                f"got {format_value(known_as)}, which {owners[known_as]!r} goes by already; give it another name",
            )


def _check_modules(given: Source, top: dict[str, Any]) -> Iterator[Problem]:
    for name, service in mappings(top, "services"):
        if service.get("settings") and service.get("module") is None:
            yield given.problem(
                ("services", name, "settings"),
                "given without a module, so nothing would read them; add the module, or drop the settings",
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
