"""Topics and their subscribers: who would get nothing, and what would be lost."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.system import access
from backbone.system.findings import Finding, finding
from backbone.system.model import Queue, System, Topic, TopicSubscription

__all__ = ["check"]


def check(system: System) -> Iterator[Finding]:
    """What is wrong with the subscriptions of topics."""
    for topic in system.of(Topic):
        for subscription in topic.subscriptions:
            yield from _subscription(system, topic, subscription)


def _subscription(system: System, topic: Topic, subscription: TopicSubscription) -> Iterator[Finding]:
    if subscription.protocol not in access.NOTIFIED:
        words = f"not simulated: what becomes of messages over {subscription.protocol}"
        yield finding("BB190", subscription.address, words)
    elif refusal := access.notification_refusal(system, topic, subscription):
        yield finding("BB209", subscription.address, f"{refusal}; nothing of the topic {topic.name} gets there")
    by_rules = any(target.arn == topic.arn for target in system.targets)
    if by_rules and not (subscription.filters_body or subscription.wants("{}")):
        words = "filter_policy: is about attributes, and what rules send has none: nothing of it gets there"
        yield finding("BB208", subscription.address, words)
    if subscription.dead_letters_arn is None:
        words = "has no dead-letter queue: what cannot be delivered is lost without a trace"
        yield finding("BB202", subscription.address, words)
        return
    queue = system.get(Queue, subscription.dead_letters_arn)
    lost = f"its dead-letter queue {subscription.dead_letters_arn} is not in any stack"
    why = access.topic_send_refusal(topic, queue) if queue else lost
    if why is not None:
        yield finding("BB210", subscription.address, f"{why}; what cannot be delivered is lost")
