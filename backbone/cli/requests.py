"""What a user asks of a simulator: an event or a call, from what was given on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backbone.errors import BackboneError
from backbone.simulator import Simulator
from backbone.simulator.api_gateway import Answer
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
    raise BackboneError(f"no service or account is called {source!r}; say who puts the event by --as")


def _hub(simulator: Simulator) -> str:
    buses = simulator.system.hubs
    if len(buses) != 1:
        raise BackboneError("the event does not say on which bus; name one by EventBusName in it")
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


def milliseconds(trace: Trace) -> float:
    """Real time from the first thing that happened to the last, in milliseconds."""
    times = [node.real for node in trace]
    return (max(times) - min(times)) * 1000 if times else 0.0
