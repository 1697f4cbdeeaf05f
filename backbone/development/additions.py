"""Entries added to the files that declare a backbone: all of what is there, comments too, stays as it is.

An addition is written only if the files then declare what they did and the new entry besides, in every environment.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from backbone.development import declare
from backbone.development.files import write_all
from backbone.errors import BackboneError
from backbone.sources import SYNTH_FILE, environment_file
from backbone.topology import Topology, environments, load, places
from backbone.topology.source import format_value, suggestion

__all__ = [
    "AdditionError",
    "CodeToAdd",
    "NewAccount",
    "account_entry",
    "add_account",
    "add_subscription",
    "lines_to_add",
]


class AdditionError(BackboneError):
    """The entry cannot be added; nothing was written."""


@dataclass(frozen=True)
class NewAccount:
    """An account to add. `ids` has its id, or `ENVIRONMENT=ID` for each environment that has accounts of its own.

    Without a deploy role and a profile, it has the deploy role that all others have, if they have the same.
    """

    name: str
    ids: Sequence[str]
    deploy_role: str | None = None
    profile: str | None = None


def add_subscription(
    file: Path, service: str, detail_type: str, sources: Sequence[str] = (), buses: Sequence[str] = ()
) -> tuple[Path, list[str]]:
    """Let a service receive a detail-type, from some sources or from all, and be on further global buses for it.

    Returns the file that was written, which may be one that the main file includes, and warnings about the entry.
    AdditionError or TopologyError when the entry cannot be added.
    """
    before, known = _loaded(file, {}), places(file)
    if service not in known:
        allowed = ", ".join(known) or "none, since there is no service yet"
        raise AdditionError(f"services: got {format_value(service)}; allowed: {allowed}{suggestion(service, known)}")
    names = list(dict.fromkeys(sources))
    for topology in before:
        if any((each.detail_type, each.source_words) == (detail_type, names) for each in _entries(topology, service)):
            raise AdditionError(f"services.{service}.subscribes: has {format_value(detail_type)} already")
    written, place = known[service][0], ("services", service)
    text = _with_buses(declare.read(written), before[0], service, buses, file=str(written))
    text = declare.add_item(text, (*place, "subscribes"), _subscription(detail_type, names), file=str(written))

    def is_added(was: Topology, now: Topology) -> bool:
        entries, on = _entries(now, service), now.services[service].buses
        changed = was.services[service].model_copy(update={"subscribes": tuple(entries), "buses": on})
        is_last = bool(entries) and (entries[-1].detail_type, entries[-1].source_words) == (detail_type, names)
        same = _said(now) == _said(was) | {"services": {**was.services, service: changed}}
        same &= _on(now, service) == list(dict.fromkeys([*_on(was, service), *buses]))
        return same and is_last and entries[:-1] == _entries(was, service)

    after = _write(file, before, {written: text}, is_added)
    path = ("services", service, "subscribes", len(_entries(after[0], service)) - 1)
    return written, [str(warning) for warning in after[0].warnings if warning.path == path]


@dataclass(frozen=True)
class CodeToAdd:
    """Lines of which one has to go into `build` of a service's module, one for each receiver that it has already."""

    file: Path
    lines: tuple[str, ...]


def lines_to_add(file: Path, service: str, detail_type: str) -> CodeToAdd | None:
    """What lets the module of a service subscribe to a detail-type; None for a service without a module."""
    module = _loaded(file, {})[0].services[service].module
    if module is None:
        return None
    code = file.parent.joinpath(*module.split("."), SYNTH_FILE)
    receivers, ids, name = _subscriptions(code)
    words = re.sub(r"[^a-z0-9]+", "-", detail_type.lower()).strip("-") or "events"
    called = next(each for each in chain([words], (f"{words}-{number}" for number in count(2))) if each not in ids)
    call = f"{name}.subscribe({json.dumps(called)}, {json.dumps(detail_type)}, to="
    return CodeToAdd(code, tuple(f"{call}{receiver})" for receiver in receivers or ["on_event"]))


def _subscriptions(code: Path) -> tuple[list[str], set[str], str]:
    """What receives events in a module's `build`, the ids of its subscriptions, and what it calls the service."""
    receivers: dict[str, None] = {}
    ids: set[str] = set()
    try:
        text = code.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return [], ids, "service"  # to tell what is wrong with it is up to `backbone synth`
    builds = [found for found in tree.body if isinstance(found, ast.FunctionDef) and found.name == "build"]
    name = next((found.args.args[0].arg for found in builds if found.args.args), "service")
    for call in (node for build in builds for node in ast.walk(build) if isinstance(node, ast.Call)):
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "subscribe":
            continue
        ids |= {str(given.value) for given in call.args[:1] if isinstance(given, ast.Constant)}
        receivers |= {
            ast.get_source_segment(text, given.value) or "": None for given in call.keywords if given.arg == "to"
        }
    return list(receivers), ids, name


def add_account(file: Path, account: NewAccount) -> list[Path]:
    """Add an account to a file; returns the files that were written, among them those of environments.

    AdditionError or TopologyError when it cannot be added.
    """
    before = _loaded(file, {})
    if any(account.name in topology.accounts for topology in before):
        raise AdditionError(f"accounts.{account.name}: the file has it already; choose another name")
    ids = _ids(account.ids, [topology.environment for topology in before])
    entry = account_entry(before[0], ids.get(None), account.deploy_role, account.profile)
    name = declare.in_yaml(account.name)
    texts = {file: declare.add_key(declare.read(file), ("accounts",), name, entry, file=str(file))}
    for environment, number in ids.items():
        if environment is not None:
            _add_to_environment(texts, file, environment, name, f"{{id: {json.dumps(number)}}}")

    def is_added(was: Topology, now: Topology) -> bool:
        found = now.accounts.get(account.name)
        return (
            found is not None
            and found.id == ids.get(now.environment, ids.get(None))
            and _said(now) == _said(was) | {"accounts": {**was.accounts, account.name: found}}
        )

    _write(file, before, texts, is_added)
    return list(texts)


def account_entry(
    topology: Topology, number: str | None, deploy_role: str | None = None, profile: str | None = None
) -> str:
    """An account as YAML in a line; with the deploy role of all others, unless it gets one or a profile of its own."""
    roles = {entry.deploy_role for entry in topology.accounts.values()}
    if deploy_role is None and profile is None and len(roles) == 1:
        deploy_role = roles.pop()
    said = {"deploy_role": deploy_role, "profile": profile}
    keys = [f"{key}: {declare.in_yaml(value)}" for key, value in said.items() if value is not None]
    return "{" + ", ".join([f"id: {json.dumps(number)}"] * (number is not None) + keys) + "}"


def _ids(given: Sequence[str], known: Sequence[str | None]) -> dict[str | None, str]:
    """The ids by environment; that of all of them is under None."""
    pairs = [text.rpartition("=") for text in given]
    ids = {environment if equals else None: number for environment, equals, number in pairs}
    if unknown := [name for name in ids if name is not None and name not in known]:
        names = ", ".join(name for name in known if name) or "none, since the file declares none"
        raise AdditionError(f"--id: got the environment {format_value(unknown[0])}; allowed: {names}")
    if len(ids) < len(given) or (None in ids and len(ids) > 1):
        raise AdditionError(
            "--id: got several for the same place; allowed: one id, or ENVIRONMENT=ID for each environment"
        )
    if missing := [name for name in known if name not in ids and None not in ids]:
        raise AdditionError(
            f"--id: is missing for {', '.join(map(str, missing))}; give ENVIRONMENT=ID for each environment"
        )
    return ids


def _add_to_environment(texts: dict[Path, str], file: Path, environment: str, name: str, entry: str) -> None:
    """Add an account to what an environment says: beside the accounts that it has, in either file."""
    place, beside = ("environments", environment), environment_file(file, environment)
    is_beside = beside.is_file() and "accounts" not in declare.keys(texts[file], place, file=str(file))
    target, path = (beside, ()) if is_beside else (file, place)
    text = texts.get(target) or declare.read(target)
    if "accounts" in declare.keys(text, path, file=str(target)):
        texts[target] = declare.add_key(text, (*path, "accounts"), name, entry, file=str(target))
    else:
        texts[target] = declare.add_key(text, path, "accounts", f"{{{name}: {entry}}}", file=str(target))


def _subscription(detail_type: str, sources: Sequence[str]) -> str:
    """A subscription as YAML in a line."""
    names = [declare.in_yaml(source) for source in sources]
    if not names:
        return declare.in_yaml(detail_type)
    source = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    return f"{{detail_type: {declare.in_yaml(detail_type)}, source: {source}}}"


def _with_buses(text: str, topology: Topology, service: str, buses: Sequence[str], *, file: str) -> str:
    """The text with further global buses of a service."""
    if unknown := [name for name in buses if name not in topology.hubs]:
        allowed = f"{', '.join(topology.hubs)}{suggestion(unknown[0], topology.hubs)}"
        raise AdditionError(f"--bus: got {format_value(unknown[0])}; allowed: {allowed}")
    place, on = ("services", service), _on(topology, service)
    further = [name for name in dict.fromkeys(buses) if name not in on]
    if further and "buses" not in declare.keys(text, place, file=file):
        return declare.add_key(text, place, "buses", f"[{', '.join([*on, *further])}]", file=file)
    for name in further:
        text = declare.add_item(text, (*place, "buses"), name, file=file)
    return text


def _on(topology: Topology, service: str) -> list[str]:
    """The names of the global buses that a service is on."""
    return [hub.key for hub in topology.hubs_of(service)] if service in topology.services else []


def _entries(topology: Topology, service: str) -> list[Any]:
    return list(topology.services[service].subscribes) if service in topology.services else []


def _said(topology: Topology) -> dict[str, Any]:
    """What a backbone is in its environment; what it is in others is asked there."""
    return {key: value for key, value in topology if key != "environments"}


def _loaded(file: Path, texts: Mapping[Path, str]) -> list[Topology]:
    """What a file declares in each of its environments, with texts in place of what files have."""
    return [load(file, environment=name, unsaved=texts) for name in environments(file) or (None,)]


def _write(
    file: Path, before: list[Topology], texts: Mapping[Path, str], is_added: Callable[[Topology, Topology], bool]
) -> list[Topology]:
    """Write the texts if they add the entry and change nothing else; returns what the file declares then."""
    after = _loaded(file, texts)
    if not all(map(is_added, before, after)):
        names = ", ".join(map(str, texts))
        raise AdditionError(f"{names}: is written in a way that nothing can be added to without changing more; edit it")
    write_all(texts)
    return after
