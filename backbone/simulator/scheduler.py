"""EventBridge Scheduler: schedules call their targets, with a role, again after failures, and leave dead letters.

Sources: EventBridge Scheduler user guide, "Schedule types", "Adding context attributes", "Configuring flexible time
windows" and "Configuring a schedule's dead-letter queue".
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from backbone.simulator.engine import BEGIN, Engine, Event, Request
from backbone.system import scheduler_access
from backbone.system.access import Refusal
from backbone.system.model import EventBus, Function, Queue, Resource, Role
from backbone.system.scheduler import ScheduledCall
from backbone.trace import Node

__all__ = ["Scheduler"]

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 600.0
"""Pauses between attempts double up to this; AWS publishes no curve."""


@dataclass(slots=True, eq=False)
class _Invocation:
    """A call of a schedule's target on its way."""

    schedule: ScheduledCall
    to: Resource | None
    scheduled: str
    execution_id: str
    since: float
    node: Node
    attempts: int = 0
    retrying: Node | None = None

    @property
    def payload(self) -> str:
        return self.schedule.payload(
            scheduled=self.scheduled, execution_id=self.execution_id, attempt=self.attempts + 1
        )

    @property
    def about(self) -> dict[str, str]:
        return {"id": self.execution_id, "detail_type": "Scheduled Event"}


class Scheduler:
    """The schedules of a system; they are due only in runs that have an end, as those of rules are."""

    def __init__(self, engine: Engine, inputs: dict[str, list[str]]) -> None:
        self._engine, self._system, self._inputs = engine, engine.system, inputs
        self._pending: dict[_Invocation, None] = {}
        for schedule in engine.system.of(ScheduledCall):
            if schedule.enabled:
                self._wait(schedule, BEGIN - 1)

    def take_over(self, before: Scheduler) -> None:
        """Go on with the calls that wait for another attempt; those of schedules that are gone are lost."""
        for old in before._pending:
            schedule = self._system.get(ScheduledCall, old.schedule.arn)
            if schedule is None:
                words = f"{old.schedule.name}: the schedule is there no more"
                self._engine.node("lost", old.schedule.name, old.schedule.account, words, old.node, **old.about)
                continue
            to = scheduler_access.target_of(self._system, schedule)
            self._attempt_in(0, _Invocation(schedule, to, old.scheduled, old.execution_id, self._engine.now, old.node))

    # When

    def _wait(self, schedule: ScheduledCall, since: float) -> None:
        due = schedule.times.next_after(since, made=BEGIN) if schedule.times else None
        if due is not None:
            self._engine.at(due - self._engine.timestamp, lambda: self._due(schedule, due), passive=True)

    def _due(self, schedule: ScheduledCall, due: float) -> None:
        engine = self._engine
        if engine.has_end:
            pause = engine.random.uniform(0, schedule.window_seconds) if schedule.window_seconds else 0
            engine.at(pause, lambda: self._invoke(schedule, engine.iso_time(due - BEGIN)))
        self._wait(schedule, due)

    def _invoke(self, schedule: ScheduledCall, scheduled: str) -> None:
        engine, execution_id = self._engine, self._engine.new_id()
        about = {"id": execution_id, "detail_type": "Scheduled Event"}
        node = engine.node("rule", schedule.name, schedule.account, "", None, address=schedule.address, **about)
        to = scheduler_access.target_of(self._system, schedule)
        invocation = _Invocation(schedule, to, scheduled, execution_id, engine.now, node)
        node.payload = invocation.payload
        self._attempt_in(0, invocation)

    # What

    def _attempt_in(self, seconds: float, invocation: _Invocation) -> None:
        self._pending[invocation] = None
        self._engine.at(seconds, lambda: self._attempt(invocation))

    def _attempt(self, invocation: _Invocation) -> None:
        self._pending.pop(invocation, None)
        schedule = invocation.schedule
        if self._struck(invocation):
            return
        if (refusal := scheduler_access.call_refusal(self._system, schedule)) is not None:
            self._give_up(invocation, refusal)
        elif invocation.to is None:
            self._record(invocation)
        else:
            self._deliver(invocation, invocation.to)

    def _struck(self, invocation: _Invocation) -> bool:
        """Whether a fault keeps an attempt from the target."""
        schedule, to = invocation.schedule, invocation.to
        names = (schedule.target.arn, *schedule.names, *(to.names if to else ()))
        if self._engine.strikes(("deny",), *names):
            self._give_up(invocation, Refusal(scheduler_access.DENIED, "denied by a fault"))
            return True
        if not isinstance(to, Function) and (fault := self._engine.strikes(("throttle", "timeout"), *names)):
            code = "ThrottlingException" if fault.kind == "throttle" else "ServiceUnavailable"
            self._retry(invocation, Refusal(code, f"{fault.kind} by a fault"))
            return True
        return False

    def _record(self, invocation: _Invocation) -> None:
        """Keep what is sent to a target that is not simulated."""
        target, account, sent = invocation.schedule.target, invocation.schedule.account, invocation.payload
        arn, words = target.arn, "not simulated: what becomes of it there"
        more = {"target": "target", "input": sent, **invocation.about}
        node = self._engine.node("delivered", arn, account, words, invocation.node, **more)
        self._inputs.setdefault(arn, []).append(sent)
        if (obstacle := self._system.obstacle_behind(target)) is not None:
            self._engine.node("lost", arn, account, obstacle.words, node, **invocation.about)

    def _deliver(self, invocation: _Invocation, to: Resource) -> None:
        engine, target, sent = self._engine, invocation.schedule.target, invocation.payload
        if (refused := self._input_refusal(invocation, to, sent)) is not None:
            self._give_up(invocation, refused)
            return
        word, deliver = engine.deliveries[type(to)]
        attempt, about = invocation.attempts + 1, invocation.about
        node = engine.node(
            "delivered", to.name, to.account, "", invocation.node, payload=sent, target=word, attempt=attempt, **about
        )
        if isinstance(to, EventBus):
            self._put(invocation, to, sent, node)
            return
        event: Event = {"id": invocation.execution_id, "detail-type": about["detail_type"]}
        deliver(to, Request(target, event, sent, 0), node)

    def _input_refusal(self, invocation: _Invocation, to: Resource, sent: str) -> Refusal | None:
        """Why a target does not take what it is sent; None when it does."""
        if isinstance(to, Queue):
            refused = self._engine.refuses(to, sent, {}, group=invocation.schedule.target.message_group)
            return None if refused is None else Refusal(*refused.split(": ", 1))
        if isinstance(to, Function):
            try:
                json.loads(sent)
            except ValueError as error:
                return Refusal("InvalidRequestContentException", f"the payload is not JSON: {error}")
        return None

    def _put(self, invocation: _Invocation, bus: EventBus, detail: str, node: Node) -> None:
        """Put an event on a bus, as the schedule's role."""
        schedule = invocation.schedule
        role = self._system.get(Role, schedule.target.role_arn)
        entry = {
            "Source": schedule.event_source or "",
            "DetailType": schedule.event_type or "",
            "Detail": detail,
            "Resources": [schedule.arn],
            "EventBusName": bus.arn,
        }
        if role is None:
            return
        with self._engine.below(node):
            (answer,) = self._engine.put_events([entry], role.identity)["Entries"]
        if (code := answer.get("ErrorCode")) is not None:
            refusal = Refusal(code, answer["ErrorMessage"])
            if code == "ThrottlingException":
                self._retry(invocation, refusal)
            else:
                self._give_up(invocation, refusal)

    # What fails

    def _retry(self, invocation: _Invocation, refusal: Refusal) -> None:
        engine, target = self._engine, invocation.schedule.target
        pause = min(FIRST_PAUSE_SECONDS * 2.0**invocation.attempts, LONGEST_PAUSE_SECONDS)
        pause *= engine.random.uniform(0.5, 1)
        if invocation.attempts >= target.max_attempts:
            self._give_up(invocation, refusal, exhausted="MaximumRetryAttempts")
            return
        if engine.now + pause - invocation.since > target.max_age_seconds:
            self._give_up(invocation, refusal, exhausted="MaximumEventAgeInSeconds")
            return
        invocation.attempts += 1
        if invocation.retrying is None:
            name = invocation.to.name if invocation.to else target.arn
            invocation.retrying = engine.node("retry", name, target.account, str(refusal), invocation.node, attempts=1)
        invocation.retrying.data["attempts"] = invocation.attempts
        self._attempt_in(pause, invocation)

    def _give_up(self, invocation: _Invocation, refusal: Refusal, *, exhausted: str | None = None) -> None:
        """Send what could not be delivered to the schedule's dead-letter queue, or note that it is lost."""
        engine, schedule = self._engine, invocation.schedule
        about, body = {"code": refusal.code, **invocation.about}, invocation.payload
        attributes = {
            "ERROR_CODE": refusal.code,
            "ERROR_MESSAGE": refusal.why,
            "EXECUTION_ID": invocation.execution_id,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(invocation.attempts),
            "SCHEDULED_TIME": invocation.scheduled,
            "SCHEDULE_ARN": schedule.arn,
            "TARGET_ARN": schedule.target.arn,
        }
        if exhausted:
            attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
        queue = self._system.get(Queue, schedule.target.dead_letters_arn)
        if queue is None:
            refused: str | None = "there is no dead-letter queue"
        else:
            refused = scheduler_access.dead_letter_refusal(self._system, schedule)
            refused = refused or engine.refuses(queue, body, attributes)
        if queue is None or refused is not None:
            name = invocation.to.name if invocation.to else schedule.target.arn
            engine.node("lost", name, schedule.account, f"{refusal}; {refused}", invocation.node, **about)
            return
        node = engine.node("dead-lettered", queue.name, queue.account, str(refusal), invocation.node, **about)
        engine.send(queue, body, attributes, node)
