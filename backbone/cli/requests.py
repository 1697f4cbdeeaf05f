"""What a user asks of a simulator: an event or a call, from what was given on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backbone.errors import BackboneError
from backbone.simulator import Simulator
from backbone.simulator.api_gateway import Answer
from backbone.simulator.verdict import ALLOWABLE, Allowable
from backbone.trace import Trace

__all__ = ["milliseconds", "post", "put"]


def put(simulator: Simulator, given: Mapping[str, Any], *, caller: str | None, account: str = "") -> None:
    """Put an entry of PutEvents on the bus it names or on the hub.

    Without a caller it is put by the service that its source names, else by the account.
    """
    entry = {**given, "EventBusName": given.get("EventBusName") or _hub(simulator)}
    if caller is not None:
        simulator.put_events([entry], caller=caller)
        return
    source = given.get("Source", "")
    for name in (source, account):
        try:
            who = simulator.identity(name)
        except BackboneError:
            continue
        simulator.put_events([entry], caller=who)
        return
    raise BackboneError(f"no service or account is called {source!r}; name the caller with --as")


def _hub(simulator: Simulator) -> str:
    buses = simulator.system.hubs
    if len(buses) != 1:
        raise BackboneError("the event names no bus, and there is not exactly one global bus; add EventBusName")
    return buses[0].arn


def post(simulator: Simulator, path: str, body: str, *, caller: str | None) -> Answer:
    """Post a body, or a file's content after an @, to an API."""
    if body.startswith("@"):
        try:
            body = Path(body[1:]).read_text(encoding="utf-8")
        except OSError as error:
            raise BackboneError(f"{body[1:]}: cannot be read: {error.strerror}") from None
    simulator.start_functions()
    return simulator.http("POST", path, body, headers={"content-type": "application/json"}, caller=caller)


def allowed(given: Sequence[str]) -> list[Allowable]:
    """The kinds of `--allow`."""
    for kind in given:
        if kind not in ALLOWABLE:
            raise BackboneError(f"--allow: got {kind!r}; allowed: {', '.join(ALLOWABLE)}")
    return [kind for kind in ALLOWABLE if kind in given]


def expected(given: Sequence[str]) -> dict[str, int | None]:
    """The detail-types of `--expect`, each with its count or None."""
    found: dict[str, int | None] = {}
    for text in given:
        detail_type, equals, count = text.rpartition("=")
        if equals and not count.isdecimal():
            raise BackboneError(
                f"--expect: got {text!r}; allowed: a detail-type, with a count if wanted, as in Order.Updated=2"
            )
        found[detail_type if equals else text] = int(count) if equals else None
    return found


def milliseconds(trace: Trace) -> float:
    """Real time from the first thing that happened to the last, in milliseconds."""
    times = [node.real for node in trace]
    return (max(times) - min(times)) * 1000 if times else 0.0
