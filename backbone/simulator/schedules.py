"""Rules that fire by themselves, at the times of their schedules."""

from __future__ import annotations

from collections.abc import Callable

from backbone.simulator.engine import BEGIN, Engine, Event
from backbone.system.model import Rule

__all__ = ["start"]

Send = Callable[[Rule, Event], None]
"""Sends an event to the targets of a rule."""


def start(engine: Engine, send: Send) -> None:
    """Have the rules with a schedule fire while time passes, from the time on that the simulator was made.

    A run without an end does not fire them: it would never be idle.
    """
    for rule in engine.system.of(Rule):
        if rule.schedule is not None and rule.enabled:
            _wait(engine, send, rule, BEGIN)


def _wait(engine: Engine, send: Send, rule: Rule, since: float) -> None:
    due = rule.schedule.next_after(since) if rule.schedule else None
    if due is not None:
        engine.at(due - engine.timestamp, lambda: _fire(engine, send, rule, due), passive=True)


def _fire(engine: Engine, send: Send, rule: Rule, due: float) -> None:
    if engine.has_end:
        event: Event = {
            "version": "0",
            "id": engine.new_id(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": rule.account_id,
            "time": engine.iso_time(),
            "region": rule.place.region,
            "resources": [rule.arn],
            "detail": {},
        }
        send(rule, event)
    _wait(engine, send, rule, due)
