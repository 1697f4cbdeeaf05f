"""A new service: a module that works at once, its test, and its entry in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backbone.development import declare
from backbone.development.additions import account_entry
from backbone.development.files import write_all
from backbone.development.service_code import Publisher, ServiceCode
from backbone.development.service_package import ServicePackage
from backbone.errors import BackboneError
from backbone.topology import Topology, environments, load, places, selected
from backbone.topology.entries import ServiceEntry
from backbone.topology.source import suggestion

__all__ = ["NewService", "ScaffoldError", "new_service", "service_code"]


PARENT = '"""The code of the services."""\n'
"""The file that makes the folder of all services a package."""


class ScaffoldError(BackboneError):
    """The service cannot be added; nothing was written."""


@dataclass(frozen=True)
class NewService:
    """What is asked for. `account` may be a new one, whose id is then given; a service of the file has one already.

    Without `publishes` and `subscribes`, it answers the first event type, by name, that another service publishes. A
    service that subscribes to nothing has an API, and publishes when that is called. `root` is the Python package that
    its own goes into, by default that of the other services. `into` is the included file that declares it, by default
    the main file. `buses` are the global buses that it is on, the one that it publishes on first, by default `global`.
    """

    name: str
    account: str | None = None
    account_id: str | None = None
    publishes: Sequence[str] = ()
    subscribes: Sequence[str] = ()
    root: str | None = None
    into: Path | None = None
    buses: Sequence[str] = ()


def new_service(file: Path, wanted: NewService) -> list[Path]:
    """Add a service to a file, or the code of a service that the file declares; returns what was written.

    The module and its test are written beside the file. When anything is wrong, nothing is written.
    """
    topology = load(file)
    declared = topology.services.get(wanted.name)
    if declared is not None and declared.module:
        raise ScaffoldError(
            f"services.{wanted.name}: the file has it already, with the module {declared.module}; choose another name"
        )
    package = ServicePackage.beside_others(file, topology, wanted.name, wanted.root)
    if declared is None:
        texts = _with_entry(file, topology, wanted, package.name)
    else:
        _refuse_differences(wanted, declared)
        there, place = places(file)[wanted.name][0], ("services", wanted.name)
        texts = {there: declare.add_key(declare.read(there), place, "module", package.name, file=str(there))}
    after = _checked(file, texts, topology, wanted.name)
    _refuse_elsewhere(after, wanted)
    code = service_code(after, wanted.name)
    if unknown := [name for name in wanted.subscribes if name not in code.received]:
        known = sorted({name for other in topology.services.values() for name in other.detail_types})
        raise ScaffoldError(
            f"--subscribes: got {', '.join(unknown)}; allowed: what another service publishes: "
            f"{', '.join(known) or 'nothing yet'}{suggestion(unknown[0], known)}"
        )
    for taken in (package.folder, package.test):
        if taken.exists():
            raise ScaffoldError(f"{taken}: is there already; choose another name")
    written = {folder / "__init__.py": PARENT for folder in reversed(package.missing_parents())}
    written |= {package.folder / name: content for name, content in code.files().items()}
    written |= {package.test: code.test(), **texts}
    write_all(written)
    return list(written)


def service_code(topology: Topology, name: str) -> ServiceCode:
    """The code of a service as a file declares it; ScaffoldError where there is nothing to start from."""
    entry = topology.services[name]
    if named := sorted({one.source for one in entry.publishes if one.source}):
        raise ScaffoldError(
            f"services.{name}.publishes: {', '.join(named)}: code is written for the service's own source; write the "
            "module by hand, or add the other sources afterwards"
        )
    if special := [one.called for one in entry.subscribes if one.called != one.detail_type or one.detail is not None]:
        raise ScaffoldError(
            f"services.{name}.subscribes: {', '.join(special)}: code is written for entries with a detail-type, and "
            "without name and detail; write the module by hand, or add these keys afterwards"
        )
    subscribes = list(dict.fromkeys(subscription.called for subscription in entry.subscribes))
    if not entry.publishes and not subscribes:
        raise ScaffoldError(f"services.{name}: publishes nothing and subscribes to nothing; say what it is for")
    received = _received(topology, name, entry)
    if subscribes and not received:
        raise ScaffoldError(
            f"services.{name}.subscribes: no other service publishes {', '.join(subscribes)}; let one publish it first"
        )
    return ServiceCode(
        service=name,
        package=str(entry.module),
        account=entry.account,
        publishes=list(entry.detail_types),
        subscribes=subscribes,
        received=received,
        names={role: topology.names.of_service(name, role) for role in ("on-event", "http-api")},
    )


def _received(topology: Topology, name: str, entry: ServiceEntry) -> dict[str, Publisher]:
    """Who publishes each of the event types that a service subscribes to on its buses, as far as anybody does."""
    found: dict[str, Publisher] = {}
    on = topology.hubs_of(name)
    for subscription in entry.subscribes:
        for other in (one for one in topology.services if one != name):
            for event in topology.published_by(other):
                hub = topology.hub_of(other, event)
                if event.detail_type == subscription.called and subscription.takes(*event) and hub in on:
                    found.setdefault(subscription.called, Publisher(other, event.source, hub.name))
    return found


def _refuse_differences(wanted: NewService, declared: ServiceEntry) -> None:
    """ScaffoldError when something else is asked for than the file says of a service."""
    said = {
        "--account": ([wanted.account] if wanted.account else [], [declared.account]),
        "--publishes": (wanted.publishes, list(declared.detail_types)),
        "--subscribes": (wanted.subscribes, [subscription.called for subscription in declared.subscribes]),
        "--bus": (wanted.buses, list(declared.buses or ())),
    }
    for option, (given, has) in said.items():
        if unknown := [name for name in given if name not in has]:
            raise ScaffoldError(
                f"{option}: got {', '.join(unknown)}; the file says of {wanted.name}: {', '.join(has) or 'nothing'}; "
                "change the file first, or leave the option out"
            )


def _refuse_elsewhere(topology: Topology, wanted: NewService) -> None:
    """ScaffoldError when what is asked for is published on global buses only that the service is not on."""
    on = [hub.key for hub in topology.hubs_of(wanted.name)]
    for subscription in topology.services[wanted.name].subscribes:
        published = sorted(topology.published_for(wanted.name, subscription))
        if subscription.called in wanted.subscribes and published and not {*published} & {*on}:
            options = " ".join(f"--bus {key}" for key in (*on, *published))
            raise ScaffoldError(
                f"--subscribes: {subscription.called} is published on {', '.join(published)}, which the service would "
                f"not be on; give {options}"
            )


def _buses(topology: Topology, wanted: NewService) -> list[str]:
    """The global buses that a new service is on, as the file is to say it; none where that need not be said."""
    known = list(topology.hubs)
    if unknown := [name for name in wanted.buses if name not in known]:
        raise ScaffoldError(f"--bus: got {unknown[0]}; allowed: {', '.join(known)}{suggestion(unknown[0], known)}")
    if not wanted.buses and topology.bus is None and len(known) > 1:
        raise ScaffoldError(
            f"--bus: is missing, and there are several global buses; allowed: {', '.join(known)}: the one that the "
            "service publishes on, then any others that it receives from"
        )
    return list(dict.fromkeys(wanted.buses))


def _events(topology: Topology, wanted: NewService, package: str) -> tuple[list[str], list[str]]:
    """What a new service publishes and subscribes to: by default something that is published on a bus of its own."""
    if wanted.publishes or wanted.subscribes:
        return list(dict.fromkeys(wanted.publishes)), list(dict.fromkeys(wanted.subscribes))
    own = package.rpartition(".")[2].title().replace("_", "")
    on = wanted.buses or [topology.main.key]
    every = ((name, event) for name in topology.services for event in topology.published_by(name))
    published = {event.detail_type for name, event in every if topology.hub_of(name, event).key in on}
    others = sorted(published - {f"{own}.Updated"})
    return ([f"{own}.Updated"], others[:1]) if others else ([f"{own}.Created"], [])


def _with_entry(file: Path, topology: Topology, wanted: NewService, package: str) -> dict[Path, str]:
    """The texts of the files with the service, and the account if that is new, after the last of their kind."""
    texts: dict[Path, str] = {}
    known = ", ".join(topology.accounts)
    account, account_id = wanted.account, wanted.account_id
    if account is None:
        raise ScaffoldError(f"--account: is missing; allowed: {known}, or a new one with --account-id")
    if account not in topology.accounts:
        if account_id is None:
            raise ScaffoldError(f"--account: got {account!r}; allowed: {known}, or a new one with --account-id")
        entry = f"{declare.in_yaml(account)}: {account_entry(topology, account_id)}"
        texts[file] = declare.add_entry(declare.read(file), "accounts", [entry], file=str(file))
    elif account_id not in (None, topology.accounts[account].id):
        raise ScaffoldError(f"--account-id: got {account_id}; the file says {topology.accounts[account].id}")
    into, buses = _included(topology, file, wanted.into), _buses(topology, wanted)
    publishes, subscribes = _events(topology, wanted, package)
    lines = [
        f"{wanted.name}:",
        f"  account: {declare.in_yaml(account)}",
        *_list("buses", buses),
        *_list("publishes", publishes),
        *_list("subscribes", subscribes),
        f"  module: {package}",
    ]
    return texts | {into: declare.add_entry(texts.get(into) or declare.read(into), "services", lines, file=str(into))}


def _included(topology: Topology, file: Path, wanted: Path | None) -> Path:
    """The file that is to declare a service: the main file, or one that it includes."""
    if wanted is None:
        return file
    others = [found.relative_to(topology.folder) for found in topology.included]
    found = next((other for other in others if (topology.folder / other).resolve() == wanted.resolve()), None)
    if found is None:
        names = ", ".join(other.as_posix() for other in others) or "none, since the file includes none"
        raise ScaffoldError(f"--in: got {wanted}; allowed: a file that the main file includes: {names}")
    return file.parent / found


def _list(key: str, names: Sequence[str]) -> list[str]:
    return [f"  {key}: [{', '.join(map(declare.in_yaml, names))}]"] if names else []


def _checked(file: Path, texts: dict[Path, str], before: Topology, name: str) -> Topology:
    """The backbone that the new texts declare, which differs in the service alone; what was valid stays valid."""
    for environment in environments(file) or (None,):
        load(file, environment=environment, unsaved=texts)
    after = load(file, environment=selected(), unsaved=texts)
    others = {other: entry for other, entry in after.services.items() if other != name}
    if others != {other: entry for other, entry in before.services.items() if other != name}:
        raise ScaffoldError(f"{file}: is written in a way that {name} cannot be added to; add it by hand")
    return after
