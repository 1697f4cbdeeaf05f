"""Rules, targets and buses, and what buses report of themselves."""

from __future__ import annotations

from backbone.system.catalogue.entry import LOST, Entry

__all__ = ["ENTRIES"]

ENTRIES: dict[str, Entry] = {
    "BB201": Entry(
        "A target that is not allowed to receive",
        "error",
        "Every event that the rule matches goes to the dead-letter queue, or is lost.",
        "Grant what the message says is missing.",
    ),
    "BB202": Entry(
        "A target or subscriber without a dead-letter queue",
        "error",
        LOST,
        "Give the target a dead_letter_config, or the subscription a redrive_policy.",
    ),
    "BB203": Entry(
        "A dead-letter queue that EventBridge may not send to",
        "error",
        LOST,
        "Let events.amazonaws.com send to the queue for this rule, in the queue's policy.",
    ),
    "BB204": Entry(
        "A target that is made too early",
        "error",
        "The first apply can fail: AWS tries the bus's policy when the target is made.",
        "Add the policy to depends_on.",
    ),
    "BB205": Entry(
        "A rule that is switched off",
        "error",
        "Nothing is delivered by it, and nothing says so.",
        "Set state to ENABLED, or remove the rule.",
    ),
    "BB206": Entry(
        "A rule without a target",
        "error",
        "What it matches goes nowhere.",
        "Give the rule a target, or remove it.",
    ),
    "BB207": Entry(
        "A target input that EventBridge refuses or drops",
        "error",
        "The target is refused, or nothing is delivered.",
        "Write the input as the message says.",
    ),
    "BB208": Entry(
        "A field that no event has",
        "warning",
        "The pattern matches nothing, or the input lacks what the field was to give.",
        "Name a field of the event, or one within detail.",
    ),
    "BB209": Entry(
        "A subscriber that gets nothing of its topic",
        "error",
        "Everything that the topic is sent is lost for it, or is in the subscription's dead-letter queue.",
        "Grant what the message says is missing.",
    ),
    "BB210": Entry(
        "A topic's dead-letter queue that SNS may not send to",
        "error",
        LOST,
        "Let sns.amazonaws.com send to the queue for this topic, in the queue's policy.",
    ),
    "BB211": Entry(
        "A delivery stream, state machine or task that may not do its work",
        "error",
        "EventBridge counts events as delivered that are lost behind the target, or AWS refuses what the target is.",
        "Let its role trust the service and do what the message says is missing.",
    ),
    "BB221": Entry(
        "A schedule that may not call its target",
        "error",
        "Every call of the schedule goes to the dead-letter queue, or is lost. A role of wrong trust AWS refuses.",
        "Let the schedule's role be assumed by scheduler.amazonaws.com, and do what the message says is missing.",
    ),
    "BB222": Entry(
        "A schedule without a dead-letter queue", "error", LOST, "Give the schedule's target a dead_letter_config."
    ),
    "BB223": Entry(
        "A dead-letter queue that a schedule may not send to",
        "error",
        LOST,
        "Let the schedule's role do sqs:SendMessage on the queue, which must be a standard queue.",
    ),
    "BB224": Entry(
        "A schedule that is switched off",
        "error",
        "Nothing is called by it, and nothing says so.",
        "Set state to ENABLED, or remove the schedule.",
    ),
    "BB225": Entry(
        "A pipe that gets nothing of its source",
        "error",
        "What comes to the source waits until it is no longer kept, and is lost. A role of wrong trust AWS refuses.",
        "Let the pipe's role be assumed by pipes.amazonaws.com, and do what the message says is missing.",
    ),
    "BB226": Entry(
        "A pipe that may not send to its target",
        "error",
        "Everything that the pipe reads goes to the dead-letter queue, or is lost.",
        "Let the pipe's role do what the message says is missing.",
    ),
    "BB227": Entry(
        "A pipe without a dead-letter queue",
        "error",
        LOST,
        "Give a stream's pipe a dead_letter_config, and a queue that a pipe reads a redrive_policy.",
    ),
    "BB228": Entry(
        "A dead-letter queue that a pipe may not send to",
        "error",
        LOST,
        "Let the pipe's role do sqs:SendMessage on the queue, or sns:Publish on the topic.",
    ),
    "BB229": Entry(
        "A pipe that is stopped",
        "error",
        "What comes to its source waits until it is no longer kept, and is lost then.",
        "Set desired_state to RUNNING, or remove the pipe.",
    ),
    "BB601": Entry(
        "A bus whose reports are delivered nowhere",
        "warning",
        "What the bus would tell of failed deliveries is lost.",
        "Add a delivery source and a delivery for the level, or lower the level.",
    ),
    "BB602": Entry(
        "A delivery source without reports",
        "warning",
        "Nothing arrives there.",
        "Raise the level of the bus's log_config, or remove the source.",
    ),
    "BB603": Entry(
        "Deliveries that are made at once",
        "error",
        "AWS answers one of them with a conflict: the apply fails.",
        "Let one depend on the other.",
    ),
    "BB604": Entry(
        "A log or traces that are lost",
        "warning",
        "The function, delivery stream or state machine does its work, and nothing tells how.",
        "Grant what the message says is missing, or name a log group that the stacks make.",
    ),
    "BB605": Entry(
        "A bus that loses what it cannot encrypt",
        "error",
        "Events are lost without a trace while EventBridge may not use the key.",
        "Give the bus a dead_letter_config whose queue lets events.amazonaws.com send for the bus.",
    ),
}
