"""EventBridge: events are put, matched, delivered, retried, dead-lettered, archived and replayed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from backbone.simulator import put_events, schedules
from backbone.simulator.api import error, reply
from backbone.simulator.deliveries import Delivery, Link
from backbone.simulator.engine import Engine, Event, Request, SimulatorError
from backbone.simulator.processes import Call, Reply
from backbone.simulator.put_events import Denial, Entry, PutEventsError
from backbone.system import access
from backbone.system.access import Refusal
from backbone.system.iam import Decision, Identity
from backbone.system.model import Archive, EventBus, Function, Queue, Resource, Rule, Target
from backbone.system.target_input import Delivered, Dropped
from backbone.trace import Node, NodeKind

__all__ = ["EventBridge"]

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 600.0
"""Pauses between attempts double up to this. AWS publishes no curve; with this one the default of 185 attempts fits
into the default of 24 hours."""

_EVENT = Delivered("")
"""What those are sent who take the event itself."""


class EventBridge:
    """The buses of a system, with their rules and archives."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._system = engine.system
        self._rules = self._system.rules_by_bus
        self._archives: dict[str, list[Archive]] = {}
        for archive in self._system.of(Archive):
            self._archives.setdefault(archive.bus_arn, []).append(archive)
        self.archived: dict[str, list[tuple[float, Event]]] = engine.states(Archive, list)
        """What each archive has kept, oldest first, as (time, event), by ARN."""
        self._pending: dict[Delivery, None] = {}
        """What will be attempted, now or later, in the order in which that was decided."""
        self.inputs: dict[str, list[str]] = {}
        """What each target that is not simulated was sent, by its ARN."""
        # Policies do not change while a simulation runs.
        self._put_decisions: dict[tuple[str, str, str, str], tuple[Identity, Decision | Denial]] = {}
        self._dead_letter_refusals: dict[str, str | None] = {}
        self._links = {
            rule.address: tuple(Link(target, self._system.target_of(target.arn)) for target in rule.targets)
            for rule in self._system.of(Rule)
        }
        engine.take(EventBus, "bus", self._forwarded)
        engine.answer("AWSEvents", self._answer)
        engine.put_events = self.put
        schedules.start(engine, self._fire)

    # Putting

    def put(self, entries: Sequence[Mapping[str, Any]], who: Identity) -> dict[str, Any]:
        """What PutEvents answers an identity: a result for each entry, in their order; PutEventsError as a whole."""
        results = [self._put(entry, who) for entry in put_events.entries_of(entries)]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _answer(self, who: Identity, call: Call) -> Reply:
        operation = call.target.partition(".")[2]
        if operation != "PutEvents":
            self._engine.node("refused", "events", who.account_id, f"{operation} is not simulated")
            return error("NotSimulated", f"events:{operation} is not simulated", 501)
        try:
            return reply(self.put(json.loads(call.body or b"{}").get("Entries", []), who))
        except PutEventsError as problem:
            return error(problem.code, problem.message)

    def _put(self, entry: Entry, who: Identity) -> dict[str, Any]:
        engine, name = self._engine, entry.bus
        bus = self._system.get(EventBus, name) if name.startswith("arn:") else self._bus_named(name, who.account_id)
        caller = who.name.rpartition("/")[2] if "/" in who.name else self._system.account_name(who.account_id)
        place, account = (bus.name, bus.account) if bus else (name, self._system.account_name(who.account_id))
        about = {"detail_type": entry.detail_type, "source": entry.source, "caller": caller}

        def refuse(kind: put_events.Outcome, code: str, words: str) -> dict[str, Any]:
            text = f"{entry.detail_type or 'event'} from {caller}: {code}: {words}"
            engine.node(kind, place, account, text, None, code=code, **about)
            return {"ErrorCode": code, "ErrorMessage": words}

        if (problem := entry.problem()) is not None:
            return refuse("refused", *problem)
        event_id = engine.new_id()
        if bus is None:
            words = f"AWS accepts it, and it is gone: there is no bus {name} in account {account}"
            text = f"{entry.detail_type} from {caller}: {words}"
            engine.node("lost", name, account, text, None, id=event_id, **about)
            return {"EventId": event_id}
        if engine.strikes(("throttle", "timeout"), *bus.names):
            return refuse("refused", "ThrottlingException", "Rate exceeded.")
        decision = self._decide(who, bus, entry)
        if isinstance(decision, Denial):
            return refuse("denied", decision.code, decision.why)
        if engine.strikes(("deny",), *bus.names):
            return refuse("denied", "AccessDeniedException", "by a fault")
        event = entry.event(event_id, who.account_id, bus.place.region, engine.iso_time())
        words = f"{entry.detail_type} from {caller}"
        about |= {"id": event_id, "allowed_by": decision.why}
        node = engine.node("put", bus.name, bus.account, words, None, payload=event, **about)
        self._ingest(bus, event, node, hops=0)
        return {"EventId": event_id}

    def arise(self, event: Event, account_id: str) -> str:
        """Put an event of an AWS service on the default bus of an account; returns its id, which is new unless given.

        SimulatorError when it is no event of AWS.
        """
        engine, bus = self._engine, self._bus_named("default", account_id)
        if bus is None:
            raise SimulatorError(f"{account_id}: no stack is about this account")
        made = put_events.of_aws(event, engine.new_id, account_id, bus.place.region, engine.iso_time())
        source, detail_type = made["source"], made["detail-type"]
        about = {"id": made["id"], "detail_type": detail_type, "source": source, "caller": source}
        node = self._engine.node("put", bus.name, bus.account, f"{detail_type} from {source}", None, **about)
        self._ingest(bus, made, node, hops=0)
        return str(made["id"])

    def _decide(self, who: Identity, bus: EventBus, entry: Entry) -> Decision | Denial:
        key = (who.name, bus.arn, entry.source, entry.detail_type)
        known = self._put_decisions.get(key)
        if known is None or known[0] != who:
            known = self._put_decisions[key] = who, put_events.decide(who, bus, entry, self._engine.context)
        return known[1]

    def _bus_named(self, name: str, account_id: str) -> EventBus | None:
        buses = self._system.of(EventBus)
        return next((bus for bus in buses if bus.account_id == account_id and bus.name == name), None)

    # From a bus to targets

    def _ingest(
        self, bus: EventBus, event: Event, node: Node, *, hops: int, only: frozenset[str] | None = None
    ) -> None:
        engine = self._engine
        for archive in self._archives.get(bus.arn, ()):
            if "replay-name" not in event and (archive.pattern is None or archive.pattern.matches(event)):
                self.archived[archive.arn].append((engine.now, event))
                engine.node("archived", archive.name, archive.account, "", node)
        for rule in self._rules[bus.arn].matching(event):
            if only is not None and rule.arn not in only:
                continue
            self._send(rule, event, node, hops=hops)

    def _send(self, rule: Rule, event: Event, node: Node | None, *, hops: int = 0, **about: str) -> None:
        """Send an event to the targets of a rule."""
        payload = event if node is None else None
        branch = self._engine.node(
            "rule", rule.name, rule.account, "", node, payload=payload, address=rule.address, **about
        )
        for link in self._links[rule.address]:
            self.schedule(Delivery(link, event, branch, hops, self._engine.now))

    def _fire(self, rule: Rule, event: Event) -> None:
        """Send the event of a rule's schedule."""
        self._send(rule, event, None, id=event["id"], detail_type=event["detail-type"])

    def _forwarded(self, bus: EventBus, request: Request, node: Node) -> None:
        """Take an event from a rule; in another region it gets an id of its own (recorded on AWS)."""
        event = request.event
        if request.other_region:
            event = event | {"id": self._engine.new_id()}
        self._ingest(bus, event, node, hops=request.hops + 1)

    def schedule(self, delivery: Delivery) -> None:
        """Attempt a delivery now, or when a fault lets it."""
        engine = self._engine
        if engine.faults:
            names = self._names_of(delivery.link)
            if fault := engine.strikes(("delay",), *names):
                self._attempt_in(fault.seconds, delivery)
                return
            if fault := engine.strikes(("reorder",), *names):
                self._attempt_in(engine.random.uniform(0, fault.seconds), delivery)
                return
            if engine.strikes(("duplicate",), *names):
                self._attempt_in(0, delivery)
        self._attempt_in(0, delivery)

    def _attempt_in(self, seconds: float, delivery: Delivery) -> None:
        self._pending[delivery] = None
        self._engine.at(seconds, lambda: self._attempt(delivery))

    def _names_of(self, link: Link) -> tuple[str, ...]:
        target, to = link.target, link.to
        return (target.arn, target.address, target.rule_name, *(to.names if to else ()))

    def take_over(self, before: EventBridge) -> None:
        """Take what archives have kept, and go on with deliveries that are under way."""
        for arn, kept in before.archived.items():
            if arn in self.archived:
                self.archived[arn] += kept
        self.inputs.update(before.inputs)
        for old in before._pending:
            target = old.target
            if not self.redeliver(target.rule_arn, target.arn, old.event, old.node, hops=old.hops):
                about = {"id": old.event["id"], "detail_type": old.event["detail-type"]}
                words = f"{target.rule_name}: the target is there no more"
                self._engine.node("lost", target.rule_name, target.account, words, old.node, **about)

    def _attempt(self, delivery: Delivery) -> None:
        self._pending.pop(delivery, None)
        target, to = delivery.target, delivery.link.to
        if self._engine.faults and self._struck(delivery, to):
            return
        if (refusal := self._refusal(delivery.link, delivery.event)) is not None:
            self._give_up(delivery, refusal)
            return
        if isinstance(to, EventBus) and delivery.hops:
            words = "an event that was forwarded from another bus is not forwarded again"
            self._give_up(delivery, Refusal("THIRD_ACCOUNT_HOP_DETECTED", words), silently=True)
            return
        sent = self._sent(delivery)
        about = {"id": delivery.event["id"], "detail_type": delivery.event["detail-type"]}
        if isinstance(sent, Dropped):
            name = to.name if to else target.arn
            self._engine.node("lost", name, target.account, sent.reason, delivery.node, **about)
            return
        if to is None:
            words = "not simulated: what becomes of it there"
            more = {"target": "target", "input": sent.text, **about}
            node = self._engine.node("delivered", target.arn, target.account, words, delivery.node, **more)
            self.inputs.setdefault(target.arn, []).append(sent.text)
            if (obstacle := self._engine.system.obstacle_behind(target)) is not None:
                self._engine.node("lost", target.arn, target.account, obstacle.words, node, **about)
            return
        if (refused := self._input_refusal(delivery, to, sent)) is not None:
            self._give_up(delivery, Refusal("SDK_CLIENT_ERROR", refused))
            return
        word, deliver = self._engine.deliveries[type(to)]
        node = self._engine.node(
            "delivered",
            to.name,
            to.account,
            "",
            delivery.node,
            payload=None if delivery.link.takes_event else sent.text,
            detail_type=delivery.event["detail-type"],
            id=delivery.event["id"],
            target=word,
            attempt=delivery.attempts + 1,
        )
        deliver(to, Request(target, delivery.event, sent.text, delivery.hops, delivery.link.other_region), node)

    def _input_refusal(self, delivery: Delivery, to: Resource, sent: Delivered) -> str | None:
        """Why a target does not take what it is sent; None when it does."""
        if isinstance(to, Function) and (problem := sent.json_problem) is not None:
            return f"the payload is not JSON: {problem}"
        if isinstance(to, Queue):
            return self._engine.refuses(to, sent.text, {}, group=delivery.target.message_group)
        return None

    def _sent(self, delivery: Delivery) -> Delivered | Dropped:
        """What the target is sent."""
        if delivery.link.takes_event:
            return _EVENT
        target = delivery.target
        return target.input.of(
            delivery.event,
            rule_arn=target.rule_arn,
            rule_name=target.rule_name,
            ingestion_time=self._engine.iso_time(delivery.since),
        )

    def _struck(self, delivery: Delivery, to: Resource | None) -> bool:
        """Whether a fault keeps an attempt from the target."""
        names = self._names_of(delivery.link)
        if self._engine.strikes(("deny",), *names):
            self._give_up(delivery, Refusal("NO_PERMISSIONS", "denied by a fault"))
            return True
        if isinstance(to, Function):
            return False  # a function takes events whatever its state: its own failures are Lambda's to retry
        if self._engine.strikes(("throttle",), *names):
            self._retry(delivery, Refusal("THROTTLING", "throttle by a fault"))
            return True
        if self._engine.strikes(("timeout",), *names):
            self._retry(delivery, Refusal("SDK_CLIENT_ERROR", "timeout by a fault"))
            return True
        return False

    def _refusal(self, link: Link, event: Event) -> Refusal | None:
        key = (event["source"], event["detail-type"])
        if key not in link.refusals:
            context = {"events:source": key[0], "events:detail-type": key[1]}
            if self._engine.organization:
                context["aws:PrincipalOrgID"] = self._engine.organization
            link.refusals[key] = access.delivery_refusal(self._system, link.target, context)
        return link.refusals[key]

    def _retry(self, delivery: Delivery, refusal: Refusal) -> None:
        """Try again later, with pauses that double up to ten minutes, unless attempts or time are used up."""
        engine, target = self._engine, delivery.target
        pause = min(FIRST_PAUSE_SECONDS * 2.0**delivery.attempts, LONGEST_PAUSE_SECONDS)
        pause *= engine.random.uniform(0.5, 1)
        if delivery.attempts >= target.max_attempts:
            self._give_up(delivery, refusal, exhausted="MaximumRetryAttempts")
            return
        if engine.now + pause - delivery.since > target.max_age_seconds:
            self._give_up(delivery, refusal, exhausted="MaximumEventAgeInSeconds")
            return
        delivery.attempts += 1
        if delivery.retrying is None:
            to = delivery.link.to
            name = to.name if to else target.arn
            delivery.retrying = engine.node("retry", name, target.account, str(refusal), delivery.node, attempts=1)
        delivery.retrying.data["attempts"] = delivery.attempts
        self._attempt_in(pause, delivery)

    def _give_up(
        self, delivery: Delivery, refusal: Refusal, *, exhausted: str | None = None, silently: bool = False
    ) -> None:
        """Send an event to the target's dead-letter queue, or note that it is lost."""
        engine, target, event = self._engine, delivery.target, delivery.event
        about = {"code": refusal.code, "id": event["id"], "detail_type": event["detail-type"]}
        attributes = {
            "RULE_ARN": target.rule_arn,
            "TARGET_ARN": target.arn,
            "ERROR_CODE": refusal.code,
            "ERROR_MESSAGE": refusal.why,
            "RETRY_ATTEMPTS": str(delivery.attempts),
        }
        if exhausted:
            attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
        refused, body = self._dead_letter_refusal(target), json.dumps(event, ensure_ascii=False)
        if refused is None:
            refused = engine.refuses(self._queue(target), body, attributes)
        if refused is not None:
            to = delivery.link.to
            kind: NodeKind = "dropped" if silently else "lost"
            name = to.name if to else target.arn
            engine.node(kind, name, target.account, f"{refusal}; {refused}", delivery.node, **about)
            return
        queue = self._queue(target)
        node = engine.node("dead-lettered", queue.name, queue.account, str(refusal), delivery.node, **about)
        engine.send(queue, body, attributes, node, hops=delivery.hops)

    def _dead_letter_refusal(self, target: Target) -> str | None:
        if target.dead_letters_arn is None:
            return "there is no dead-letter queue"
        if target.address not in self._dead_letter_refusals:
            self._dead_letter_refusals[target.address] = access.dead_letter_refusal(self._system, target)
        return self._dead_letter_refusals[target.address]

    def _queue(self, target: Target) -> Queue:
        queue = self._system.get(Queue, target.dead_letters_arn)
        if queue is None:
            raise SimulatorError(f"{target.address}: there is no dead-letter queue to send to")
        return queue

    # Again

    def replay(self, archive: str | None, *, rules: Sequence[str] | None, begin: float, end: float, name: str) -> None:
        """Put what an archive has kept on its bus again."""
        found = [candidate for candidate in self._system.of(Archive) if archive in (None, *candidate.names)]
        if len(found) != 1:
            known = ", ".join(kept.name for kept in self._system.of(Archive)) or "none"
            raise SimulatorError(f"archive: got {archive!r}; allowed: {known}")
        (kept,) = found
        bus = self._system.get(EventBus, kept.bus_arn)
        if bus is None:
            raise SimulatorError(f"{kept.address}: its bus is not in any stack")
        only = None
        if rules is not None:
            only = frozenset(rule.arn for rule in self._system.of(Rule) if not set(rules).isdisjoint(rule.names))
        oldest = self._engine.now - kept.retention_days * 86_400 if kept.retention_days else float("-inf")
        for event in [event for at, event in self.archived[kept.arn] if begin <= at < end and at >= oldest]:
            about = {"id": event["id"], "detail_type": event["detail-type"]}
            words = f"{event['detail-type']} from {kept.name}"
            node = self._engine.node("replayed", bus.name, bus.account, words, payload=event, **about)
            self._ingest(bus, event | {"replay-name": name}, node, hops=0, only=only)

    def redeliver(self, rule_arn: str, target_arn: str, event: Event, node: Node, *, hops: int) -> bool:
        """Deliver an event once more to the target of a rule that failed; False when there is no such target."""
        for link in chain.from_iterable(self._links.values()):
            if (link.target.rule_arn, link.target.arn) == (rule_arn, target_arn):
                self.schedule(Delivery(link, event, node, hops, self._engine.now))
                return True
        return False
