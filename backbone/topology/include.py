"""The files that a file includes: each belongs to a team, which declares its services there.

What they say is joined with what the file says, and every value keeps the file and the line that it stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from backbone.sources import environment_of, included_files, matching_files
from backbone.topology.fields import FILE_PATTERN
from backbone.topology.models import TeamFile, Topology
from backbone.topology.source import KeyPath, Origin, Problem, Source, SourceError, format_value, suggestion

__all__ = ["Included", "Joined", "join", "names", "unused_owners"]

ALLOWED = tuple(TeamFile.model_fields)


@dataclass(frozen=True)
class Included:
    """An included file, by its path from the folder of the file that includes it, and the services in it."""

    name: str
    file: Path
    services: frozenset[str]


@dataclass
class Joined:
    """A file with what it includes, and what is wrong with that."""

    source: Source
    files: list[Included] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def join(given: Source, read: Callable[[Path], Source]) -> Joined:
    """A file and the files that it includes, as one."""
    joined = Joined(Source(given.file, given.value, dict(given.lines), dict(given.origins)))
    patterns = _patterns(given)
    if not patterns:
        return joined
    joined.source = Source(given.file, dict(given.value), dict(given.lines), dict(given.origins))
    folder = Path(given.file).parent
    matching = _matching(folder, patterns)
    joined.problems += _of_no_environment(given, matching_files(folder, patterns))
    for pattern, path in patterns.items():
        if not matching[pattern]:
            what = f"no file matches {pattern!r}" if {*"*?["} & {*pattern} else f"there is no file {pattern!r}"
            joined.problems.append(given.problem(path, f"{what}; write such a file, or take the entry out"))
    resolved: dict[Path, str] = {}
    for name in included_files(folder, list(patterns)):
        place = next(path for pattern, path in patterns.items() if name in matching[pattern])
        if (wrong := _refusal(given, folder, name, resolved)) is not None:
            joined.problems.append(given.problem(place, f"{name}: {wrong}"))
            continue
        try:
            _add(joined, name, read(folder / name))
        except SourceError as error:
            joined.problems += error.problems
    joined.problems += _not_owned(joined)
    return joined


def _matching(folder: Path, patterns: Iterable[str]) -> dict[str, list[str]]:
    """The files that each pattern matches."""
    return {pattern: matching_files(folder, [pattern]) for pattern in patterns}


def names(given: Source) -> list[str]:
    """The files that a file includes, and those of environments beside them, by their paths from its folder."""
    return matching_files(Path(given.file).parent, _patterns(given))


def _patterns(given: Source) -> dict[str, KeyPath]:
    """The patterns of a file that are valid, and where they stand; the models refuse others."""
    entries = given.value.get("include") if isinstance(given.value, dict) else None
    entries = entries if isinstance(entries, list) else []
    valid = [(index, entry) for index, entry in enumerate(entries) if isinstance(entry, str)]
    return {entry: ("include", index) for index, entry in reversed(valid) if FILE_PATTERN.is_met_by(entry)}


def _of_no_environment(given: Source, names: list[str]) -> Iterator[Problem]:
    """Files that only look like those of environments, so that nobody would read them."""
    declared = given.value.get("environments")
    for name in names:
        environment = environment_of(name, names)
        if environment is not None and environment not in (declared if isinstance(declared, dict) else ()):
            yield given.problem(
                ("include",),
                f"{name}: is named like the file of an environment {environment!r}, which the file does not declare; "
                "give it another name",
            )


def _refusal(given: Source, folder: Path, name: str, resolved: dict[Path, str]) -> str | None:
    """Why a file cannot be included; `resolved` are those that can."""
    main, file = Path(given.file), folder / name
    try:
        target = file.resolve(strict=True)
    except (OSError, RuntimeError):  # until Python 3.12, links in a circle are a RuntimeError
        return "is a link that leads to no file; take it away"
    if target == main.resolve() or (file.parent == main.parent and environment_of(file.name, [main.name])):
        what = f"belongs to {main.name}" if file.name != main.name else "is the including file itself"
        return f"{what}; give the files of teams a folder of their own, as in include: [teams/*.yaml]"
    if not target.is_relative_to(folder.resolve()):
        return f"leads to a file outside of the folder of {main.name}; put the file itself there"
    if (other := resolved.setdefault(target, name)) != name:
        return f"is the same file as {other}; include it once"
    return None


def _add(joined: Joined, name: str, source: Source) -> None:
    """Add what an included file says."""
    joined.problems += _not_allowed(joined.source, source)
    if not isinstance(source.value, dict):
        return
    joined.problems += _hidden_by_others(source)
    services = _add_services(joined, source)
    _add_confidential(joined.source, source)
    joined.files.append(Included(name, Path(source.file), frozenset(services)))


def _not_allowed(main: Source, source: Source) -> Iterator[Problem]:
    """What stands in a file that may only have services."""
    allowed = ", ".join(ALLOWED)
    if not isinstance(source.value, dict):
        yield source.problem((), f"got {format_value(source.value)}; allowed: a mapping with these keys: {allowed}")
        return
    for key, value in source.value.items():
        if key == "include":
            yield source.problem((key,), f"an included file includes no others; include them in {main.file}")
        elif key not in ALLOWED and key in Topology.model_fields:
            yield source.problem((key,), f"is said once, in {main.file}; allowed in an included file: {allowed}")
        elif key not in ALLOWED:
            yield source.problem((key,), f"no such key; allowed: {allowed}{suggestion(key, ALLOWED)}")
        elif key == "services" and not isinstance(value, dict):
            words = "allowed: a mapping: a name, a colon and a value for each entry"
            yield source.problem((key,), f"got {format_value(value)}; {words}")
        elif key == "confidential" and not isinstance(value, list):
            yield source.problem((key,), f"got {format_value(value)}; allowed: a list")


def _add_services(joined: Joined, source: Source) -> list[str]:
    main, added = joined.source, []
    services = main.value.get("services", {})
    entries = source.value.get("services")
    if not isinstance(services, dict) or not isinstance(entries, dict):
        return []
    main.value["services"] = services = dict(services)
    for name, entry in entries.items():
        path = ("services", name)
        if name in services:
            known = main.problem(path, "")
            where = f"{known.file}:{known.line}"
            joined.problems.append(source.problem(path, f"is declared in {where} already; keep one of them"))
            continue
        services[name] = entry
        added.append(name)
        _take_over(main, source, path, path)
    if ("services",) not in main.lines:
        _put(main, source, ("services",), ("services",))
    return added


def _add_confidential(main: Source, source: Source) -> None:
    known, entries = main.value.get("confidential", []), source.value.get("confidential")
    if not isinstance(known, list) or not isinstance(entries, list):
        return
    main.value["confidential"] = [*known, *entries]
    for index in range(len(entries)):
        _take_over(main, source, ("confidential", index), ("confidential", len(known) + index))


def _take_over(main: Source, source: Source, place: KeyPath, at: KeyPath) -> None:
    """Note the lines of what stands at a place of an included file, and now at another of the whole."""
    for path in source.lines:
        if path[: len(place)] == place:
            _put(main, source, path, (*at, *path[len(place) :]))


def _put(main: Source, source: Source, path: KeyPath, at: KeyPath) -> None:
    lines: Any = main.lines
    origins: Any = main.origins
    lines[at], origins[at] = source.lines[path], Origin(source.file, path)


def _hidden_by_others(source: Source) -> Iterator[Problem]:
    """Entries of `confidential` about events that services of other files publish."""
    services = source.value.get("services")
    own = [
        entry["detail_type"] if isinstance(entry, dict) else entry
        for service in (services.values() if isinstance(services, dict) else ())
        if isinstance(service, dict) and isinstance(service.get("publishes"), list)
        for entry in service["publishes"]
        if isinstance(entry.get("detail_type") if isinstance(entry, dict) else entry, str)
    ]
    entries = source.value.get("confidential")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, str) and entry not in own:
            words = f"a detail-type that a service of this file publishes: {', '.join(own) or 'there is none'}"
            yield source.problem(
                ("confidential", index), f"got {format_value(entry)}; allowed: {words}{suggestion(entry, own)}"
            )


def _owned(given: Source) -> Mapping[str, list[str]] | None:
    """The accounts of each pattern under `owners`; None where the file has no such key, so that all may use all."""
    found = given.value.get("owners")
    if not isinstance(found, dict):
        return None
    return {
        pattern: [account for account in accounts if isinstance(account, str)]
        for pattern, accounts in found.items()
        if isinstance(accounts, list) and FILE_PATTERN.is_met_by(pattern)
    }


def _not_owned(joined: Joined) -> Iterator[Problem]:
    """Services of included files in accounts that `owners` does not give to these files."""
    given = joined.source
    owned, accounts = _owned(given), given.value.get("accounts")
    if owned is None or not isinstance(accounts, dict):
        return
    for pattern, entries in owned.items():
        for index, entry in enumerate(entries):
            if not any(fnmatchcase(name, entry) for name in accounts):
                yield given.problem(
                    ("owners", pattern, index),
                    f"got {format_value(entry)}; allowed: an account declared under accounts, or a pattern that one of "
                    f"them matches: {', '.join(accounts)}{suggestion(entry, accounts)}",
                )
    files = _matching(Path(given.file).parent, owned)
    for included in joined.files:
        wanted = [account for pattern in owned if included.name in files[pattern] for account in owned[pattern]]
        may_use = [name for name in accounts if any(fnmatchcase(name, each) for each in wanted)]
        for service in sorted(included.services):
            entry = given.value["services"][service]
            account = entry.get("account") if isinstance(entry, dict) else None
            if isinstance(account, str) and account in accounts and account not in may_use:
                words = ", ".join(may_use) or "none"
                yield given.problem(
                    ("services", service, "account"),
                    f"got {format_value(account)}, which owners in {given.file} does not give to {included.name}; "
                    f"allowed: {words}; to give it more, say so there, as in owners: {{{included.name}: [{account}]}}",
                )


def unused_owners(given: Source, files: list[Included]) -> Iterator[Problem]:
    """Warnings about patterns under `owners` that no included file matches."""
    names = {included.name for included in files}
    for pattern, found in _matching(Path(given.file).parent, _owned(given) or {}).items():
        if names.isdisjoint(found):
            words = "no included file has this name; it counts as soon as there is one"
            yield given.warning(("owners", pattern), f"{words}{suggestion(pattern, names)}")
