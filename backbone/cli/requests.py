"""What a user asks of a simulator: an event or a call, from what was given on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backbone.cli.events import GivenEvent, hub_of
from backbone.errors import BackboneError
from backbone.simulator import Simulator, SimulatorError
from backbone.simulator.api_gateway import Answer
from backbone.simulator.verdict import ALLOWABLE, Allowable
from backbone.trace import Trace

__all__ = ["milliseconds", "post", "put"]


def put(simulator: Simulator, given: GivenEvent, *, caller: str | None) -> None:
    """Put an event on the bus that it names or its global bus, and one of an AWS service on its account's default bus.

    Without a caller it is put by the service that its source names, else by the account that it says.
    """
    if given.is_of_aws:
        _arise(simulator, given, account=caller or given.account)
        return
    entry, account = given.as_entry(), given.account
    if not given.bus:
        entry["EventBusName"] = hub_of(simulator.system, entry.get("DetailType"), entry.get("Source")).arn
    if caller is not None:
        simulator.put_events([entry], caller=caller)
        return
    source = entry.get("Source", "")
    for name in (source, account):
        try:
            who = simulator.identity(name)
        except BackboneError:
            continue
        simulator.put_events([entry], caller=who)
        return
    raise BackboneError(f"no service or account is called {source!r}; name the caller with --as")


def _arise(simulator: Simulator, given: GivenEvent, *, account: str) -> None:
    try:
        simulator.put_aws_event(given.fields, account=account)
    except SimulatorError as error:
        raise BackboneError(f"{error}; --as names the account whose default bus gets the event") from None


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
