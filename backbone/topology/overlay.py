"""The file of one environment: what an environment says, laid over what the file says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backbone.sources import environment_file
from backbone.topology.include import Included
from backbone.topology.raw import mapping
from backbone.topology.source import KeyPath, Origin, Problem, Source, format_value, suggestion

__all__ = ["Overlays", "declared", "undecided"]

EVENT_KEYS = ("account", "publishes", "subscribes")
"""The keys of a service that say who talks to whom."""

OWN_KEYS = ("changes_events", "environments")
"""What an environment says of itself, and what it cannot have."""

REPLACED = ("deployment", "state")
"""The mappings that are replaced as a whole: their keys depend on each other."""


def declared(given: Source) -> tuple[str, ...]:
    """The names of a file's environments."""
    found = given.value.get("environments") if isinstance(given.value, dict) else None
    return tuple(found) if isinstance(found, dict) else ()


def undecided(given: Source, name: str | None) -> Problem | None:
    """What is wrong with asking for an environment, or for none."""
    names = declared(given)
    if name is None and names:
        words = f"the file declares {', '.join(names)}; say which is meant, as in --env {names[0]}"
        return given.problem(("environments",), words)
    if name is not None and name not in names:
        allowed = f"{', '.join(names)}{suggestion(name, names)}" if names else "none, since the file declares none"
        return given.problem(("environments",), f"got the environment {format_value(name)}; allowed: {allowed}")
    return None


@dataclass(frozen=True)
class Overlays:
    """The environments of a file, and what they are laid over; `read` reads their own files."""

    given: Source
    included: Sequence[Included]
    read: Callable[..., Source]

    def environment(self, name: str) -> tuple[Source, list[Problem]]:
        """The file as it is in an environment, and what the environment must not say.

        An included file may have a file for the environment beside it as well; what the main file says of it prevails.
        """
        given, merged = self.given, _Merged(self.given)
        problems: list[Problem] = []
        for each in self.included:
            beside = environment_file(each.file, name)
            if beside.is_file():
                source = self.read(beside, beginning="services")
                problems += _not_of_the_team(source, each)
                merged.lay(_services_of(source, each), (), at=("environments", name))
        merged.lay(given, ("environments", name))
        beside = environment_file(Path(given.file), name)
        if beside.is_file():
            merged.lay(self.read(beside), (), at=("environments", name))
        problems += _changes_of_events(merged, given, name)
        problems += _new_buses(merged, given, name)
        return Source(given.file, merged.value, merged.lines, merged.origins), problems

    def shared_places(self) -> Iterator[Problem]:
        """Problems of environments that would have the same resources: one account and region, and one name."""
        owners: dict[tuple[object, object, object], str] = {}
        for name in declared(self.given):
            source, _ = self.environment(name)
            top = source.value
            accounts = top.get("accounts")
            for account, entry in accounts.items() if isinstance(accounts, dict) else ():
                if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
                    continue
                other = owners.setdefault((entry["id"], str(top.get("region")), str(top.get("name"))), name)
                if other != name:
                    yield source.problem(
                        ("environments", name),
                        f"{account} is account {entry['id']}, as in the environment {other}, and the backbone has the "
                        "same name in the same region, so their resources would be the same; give one of them another "
                        "name, region or account",
                    )
                    break


def _not_of_the_team(source: Source, included: Included) -> Iterator[Problem]:
    """What the file of an environment beside an included file must not say."""
    if not isinstance(source.value, dict):
        yield source.problem((), f"got {format_value(source.value)}; allowed: a mapping with this key: services")
        return
    for key in source.value:
        if key != "services":
            yield source.problem((key,), "no such key here; allowed: services")
    services = source.value.get("services")
    if "services" in source.value and not isinstance(services, dict):
        yield source.problem(("services",), f"got {format_value(services)}; allowed: a mapping of services")
    for service, entry in services.items() if isinstance(services, dict) else ():
        path, known = ("services", service), sorted(included.services)
        if service not in known:
            words = f"{included.name} has no such service; allowed: {', '.join(known)}{suggestion(service, known)}"
            yield source.problem(path, words)
        elif isinstance(entry, dict) and "account" in entry:
            yield source.problem((*path, "account"), f"is said in {included.name} only; take it out here")


def _services_of(source: Source, included: Included) -> Source:
    """The part of a file that is about the services of an included file."""
    found = source.value.get("services") if isinstance(source.value, dict) else None
    own = {key: entry for key, entry in found.items() if key in included.services} if isinstance(found, dict) else {}
    lines = {
        path: line
        for path, line in source.lines.items()
        if path[:1] == ("services",) and path[1:2] != () and path[1] in own
    }
    return Source(source.file, {"services": own}, lines)


@dataclass
class _Merged:
    """The values of a file, on which others are laid."""

    base: Source
    value: Any = field(init=False)
    lines: dict[KeyPath, int] = field(init=False)
    origins: dict[KeyPath, Origin] = field(init=False)

    def __post_init__(self) -> None:
        self.value = dict(self.base.value)
        self.lines, self.origins = dict(self.base.lines), dict(self.base.origins)

    def lay(self, over: Source, place: KeyPath, *, at: KeyPath | None = None) -> None:
        """Lay what a source has at a place over the values.

        `at` is where it also counts as standing, as an environment's own file does for the keys of the environment.
        """
        changes = over.value
        for step in place:
            changes = changes.get(step) if isinstance(changes, dict) else None
        if isinstance(changes, dict):
            self.value = _merge(self.value, {key: value for key, value in changes.items() if key not in OWN_KEYS})
        for path, line in over.lines.items():
            if path[: len(place)] == place:
                below = path[len(place) :]
                if below:
                    self.lines[below], self.origins[below] = line, Origin(over.file, path)
                if at is not None:
                    self.lines[*at, *below], self.origins[*at, *below] = line, Origin(over.file, path)
        if at is not None:
            self.value = _merge(self.value, {"environments": {at[-1]: changes}})


def _merge(under: Any, over: Any) -> Any:
    """A value with another laid over it: mappings are merged, null takes a key away, all else replaces."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    merged = dict(under)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = value if key in REPLACED else _merge(merged.get(key), value)
    return merged


def _changes_of_events(merged: _Merged, given: Source, name: str) -> Iterator[Problem]:
    top = merged.value
    said = top["environments"].get(name)
    services = said.get("services") if isinstance(said, dict) else None
    if not isinstance(services, dict) or said.get("changes_events") is True:
        return
    source = Source(given.file, merged.value, merged.lines, merged.origins)
    known = given.value.get("services")
    for service, entry in services.items():
        path = ("environments", name, "services", service)
        if isinstance(known, dict) and service not in known:
            allowed = f"{', '.join(known)}{suggestion(service, known)}"
            yield source.problem(path, f"the file has no such service outside of the environment; allowed: {allowed}")
        for key in EVENT_KEYS if isinstance(entry, dict) else ():
            if entry.get(key) is not None:
                yield source.problem(
                    (*path, key),
                    "who talks to whom is the same in every environment; take it out, or say changes_events: true in "
                    "the environment",
                )


def _new_buses(merged: _Merged, given: Source, name: str) -> Iterator[Problem]:
    """Global buses that only an environment has: services are on the same in all of them."""
    said, source = (
        merged.value["environments"].get(name),
        Source(given.file, merged.value, merged.lines, merged.origins),
    )
    known = mapping(given.value, "buses")
    for bus in mapping(said, "buses").keys() - known.keys():
        allowed = f"{', '.join(known)}{suggestion(bus, known)}" if known else "none, since it has no buses"
        words = f"the file has no such bus outside of the environment; allowed: {allowed}"
        yield source.problem(("environments", name, "buses", bus), words)
    if mapping(said, "bus") and not mapping(given.value, "bus"):
        words = "the file has no such bus outside of the environment; allowed: buses, by the names that the file has"
        yield source.problem(("environments", name, "bus"), words)
