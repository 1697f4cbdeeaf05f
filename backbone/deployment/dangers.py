"""The kinds of dangers that a plan can hold: what each does, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.system.findings import Severity

__all__ = ["RULES", "Danger", "Rule", "danger"]


@dataclass(frozen=True)
class Rule:
    """A kind of danger: how severe it is, what it does to events, and what to do first or instead."""

    severity: Severity
    effect: str
    advice: str


@dataclass(frozen=True)
class Danger:
    """Something in a plan to think about before it is applied. `id` is a resource's, `STACK/ADDRESS`."""

    rule: str
    severity: Severity
    id: str
    message: str

    def __str__(self) -> str:
        return f"{self.id}: {self.message}"


def danger(rule: str, id: str, message: str, *, severity: Severity | None = None) -> Danger:
    """A danger of a kind, with the severity of its kind unless another is said."""
    return Danger(rule, severity or RULES[rule].severity, id, message)


RULES: dict[str, Rule] = {
    "bus-removed": Rule(
        "error",
        "The rules of a bus vanish with it. Until a new bus and its rules are there, whatever is put on it is refused.",
        "Make the new bus beside the old one, move publishers and rules, and then remove the old one.",
    ),
    "archive-removed": Rule(
        "error", "The events in it are deleted: they can never be replayed.", "Keep it, or export its events first."
    ),
    "archive-shortened": Rule(
        "warning", "Older events are deleted and can no longer be replayed.", "Replay or export them first."
    ),
    "archive-narrowed": Rule(
        "warning", "Events that it no longer keeps cannot be replayed.", "Make sure that nobody replays them."
    ),
    "queue-removed": Rule(
        "error",
        "The messages that wait in it are lost.",
        "Empty it first: stop what sends to it, and wait until it is.",
    ),
    "queue-shortened": Rule("warning", "Older messages are deleted at once.", "Handle the messages first."),
    "size-cut": Rule("warning", "Larger messages are refused from now on.", "Make sure that nobody sends such."),
    "table-removed": Rule("error", "Its items are lost.", "Keep it, or take a backup and restore it as the new table."),
    "stream-removed": Rule("error", "The records in it are lost, and its readers stop.", "Read it to its end first."),
    "stream-shortened": Rule("warning", "Older records are deleted.", "Make sure that every reader is past them."),
    "log-removed": Rule("warning", "What was logged is lost.", "Export it first."),
    "log-shortened": Rule("warning", "What was logged before is deleted.", "Export it first."),
    "event-log-removed": Rule(
        "warning",
        "Events on the bus are no longer logged: nobody can tell later what was there.",
        "Log by another rule.",
    ),
    "key-removed": Rule(
        "error", "Whatever the key encrypted can never be read again.", "Keep the key as long as anything needs it."
    ),
    "encryption-removed": Rule(
        "warning", "What is stored from now on is protected less.", "Keep the key, or name another."
    ),
    "protection-removed": Rule(
        "warning", "A later mistake destroys data that nothing brings back.", "Keep it switched on."
    ),
    "expiry-added": Rule(
        "warning", "Items are deleted when their time comes.", "Look at the attribute's values first."
    ),
    "receiving-ends": Rule(
        "error",
        "Events of the type no longer get there.",
        "Make sure that nobody needs them any more, or bring the way of the events back.",
    ),
    "publishing-ends": Rule(
        "error",
        "Such events are refused: whoever publishes them gets an error.",
        "Publish no more of them first, or allow them again.",
    ),
    "rule-disabled": Rule("error", "It matches nothing any more; what it would have matched is lost.", "Enable it."),
    "mapping-disabled": Rule(
        "error", "Nobody reads the queue or stream: what is in it grows old and is lost.", "Enable it again in time."
    ),
    "mapping-narrowed": Rule(
        "warning", "What does not match its filter is dropped, and nobody sees it.", "Look at the filter again."
    ),
    "handled-twice": Rule(
        "warning",
        "A message comes back while the function is still at it.",
        "Make the visibility timeout six times the function's.",
    ),
    "function-stopped": Rule(
        "error", "Every invocation of it is throttled, until events are given up.", "Reserve more, or none."
    ),
    "dead-letters-detached": Rule(
        "error", "What cannot be delivered or handled is lost without a trace.", "Name a queue for it."
    ),
    "dead-letters-refused": Rule(
        "error", "What cannot be delivered is lost: the queue does not take it.", "Let EventBridge send to the queue."
    ),
    "retries-cut": Rule(
        "warning", "Shorter failures than before are enough for events to be given up.", "Know how long outages last."
    ),
    "access-widened": Rule(
        "warning", "Somebody may do what they could not before.", "Name principal, action, resource and conditions."
    ),
    "sent-elsewhere": Rule(
        "warning", "Events leave for a place that did not get them before.", "Make sure that it is meant."
    ),
    "detail-logged": Rule(
        "warning", "What the log left out of confidential events is written into it.", "Leave the detail out again."
    ),
    "route-open": Rule(
        "warning", "Anybody can call it.", "Ask for a token or for IAM's signature, if that is not meant."
    ),
    "authorization-removed": Rule("error", "Anybody can call it.", "Ask for a token or for IAM's signature."),
    "authorization-changed": Rule(
        "warning", "Callers with what was right before may be refused, and others let in.", "Agree with the callers."
    ),
    "api-removed": Rule(
        "error", "Its callers reach nothing any more; a new API has another address.", "Tell them first."
    ),
    "route-removed": Rule("warning", "Calls of it are answered with 404.", "Make sure that nobody calls it."),
    "route-stopped": Rule("error", "Calls of it are answered with 500.", "Let API Gateway invoke the function."),
    "throttling-cut": Rule("warning", "Calls beyond the rate are refused.", "Know how many calls there are."),
    "order": Rule(
        "warning",
        "Between two steps of the apply events are refused or not delivered.",
        "Make the change in two deployments, the way of the events first.",
    ),
    "unknown-policy": Rule(
        "warning", "What it allows cannot be told here.", "Read the policy, and grant by a policy of your own."
    ),
    "left-behind": Rule("note", "It stays at AWS, and no state knows it.", "Remove it by hand when nobody needs it."),
    "key-changed": Rule(
        "note", "What was stored before stays encrypted with the old key.", "Keep the old key as long as that is there."
    ),
}
