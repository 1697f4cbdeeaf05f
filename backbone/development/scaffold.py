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
    the main file.
    """

    name: str
    account: str | None = None
    account_id: str | None = None
    publishes: Sequence[str] = ()
    subscribes: Sequence[str] = ()
    root: str | None = None
    into: Path | None = None


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
    """Who publishes each of the event types that a service subscribes to, as far as anybody does."""
    found: dict[str, Publisher] = {}
    for subscription in entry.subscribes:
        for other, publishing in topology.services.items():
            source = topology.source_of(other)
            wanted = subscription.takes(subscription.called, source) and subscription.called in publishing.detail_types
            if wanted and other != name:
                found.setdefault(subscription.called, Publisher(other, source))
    return found


def _refuse_differences(wanted: NewService, declared: ServiceEntry) -> None:
    """ScaffoldError when something else is asked for than the file says of a service."""
    said = {
        "--account": ([wanted.account] if wanted.account else [], [declared.account]),
        "--publishes": (wanted.publishes, list(declared.detail_types)),
        "--subscribes": (wanted.subscribes, [subscription.called for subscription in declared.subscribes]),
    }
    for option, (given, has) in said.items():
        if unknown := [name for name in given if name not in has]:
            raise ScaffoldError(
                f"{option}: got {', '.join(unknown)}; the file says of {wanted.name}: {', '.join(has) or 'nothing'}; "
                "change the file first, or leave the option out"
            )


def _events(topology: Topology, wanted: NewService, package: str) -> tuple[list[str], list[str]]:
    """What a new service publishes and subscribes to."""
    if wanted.publishes or wanted.subscribes:
        return list(dict.fromkeys(wanted.publishes)), list(dict.fromkeys(wanted.subscribes))
    own = package.rpartition(".")[2].title().replace("_", "")
    published = {name for service in topology.services.values() for name in service.detail_types}
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
    into = _included(topology, file, wanted.into)
    publishes, subscribes = _events(topology, wanted, package)
    lines = [
        f"{wanted.name}:",
        f"  account: {declare.in_yaml(account)}",
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
