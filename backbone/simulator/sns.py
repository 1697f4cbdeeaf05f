"""SNS: topics give what rules send them to their subscribers, which are queues and functions.

Facts: SNS developer guide, "Fanout to Amazon SQS queues", "Amazon SNS message format", "Amazon SNS dead-letter queues"
and "Amazon SNS subscription filter policies"; Lambda developer guide, "Invoking Lambda functions with Amazon SNS".
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from backbone.simulator.engine import Engine, Request
from backbone.system import access
from backbone.system.model import Function, Queue, Topic, TopicSubscription
from backbone.trace import Node

__all__ = ["Sns"]


class InvokeLater(Protocol):
    """Invokes a function asynchronously."""

    def __call__(self, function: Function, event: Any, node: Node) -> None:
        """Invoke it; what follows goes below the node."""


class Sns:
    """The topics of a system."""

    def __init__(self, engine: Engine, invoke_later: InvokeLater) -> None:
        self._engine = engine
        self._invoke_later = invoke_later
        self.messages: dict[str, list[str]] = engine.states(Topic, list)
        """What each topic was sent, by its ARN."""
        engine.take(Topic, "topic", self._deliver)

    def _deliver(self, topic: Topic, request: Request, node: Node) -> None:
        text = request.input
        self.messages[topic.arn].append(text)
        notification = self._notification(topic, text)
        for subscription in topic.subscriptions:
            if subscription.wants(text):
                self._notify(topic, subscription, notification, node, hops=request.hops)
            else:
                words = "the subscription's filter policy does not match it"
                self._engine.node("filtered", subscription.endpoint, topic.account, words, node)

    def _notify(
        self, topic: Topic, subscription: TopicSubscription, notification: dict[str, Any], node: Node, *, hops: int
    ) -> None:
        """Give a subscriber a message. What it may not get goes to the subscription's dead-letter queue at once."""
        engine, to = self._engine, self._engine.system.resources.get(subscription.endpoint)
        about = {key: node.data[key] for key in ("id", "detail_type") if key in node.data}
        if subscription.protocol not in access.NOTIFIED:
            words = f"not simulated: what becomes of it over {subscription.protocol}"
            engine.node("delivered", subscription.endpoint, topic.account, words, node, target="topic", **about)
            return
        body = notification["Message"] if subscription.raw else json.dumps(notification, ensure_ascii=False)
        refusal = access.notification_refusal(engine.system, topic, subscription)
        if refusal is None and isinstance(to, Queue):
            refusal = engine.refuses(to, body, {})
        if refusal is not None or to is None:
            self._keep(topic, subscription, body, refusal or "", node, hops=hops)
            return
        words = f"from the topic {topic.name}"
        if isinstance(to, Queue):
            below = engine.node("delivered", to.name, to.account, words, node, target="queue", **about)
            engine.send(to, body, {}, below, hops=hops)
        elif isinstance(to, Function):
            below = engine.node("delivered", to.name, to.account, words, node, target="function", **about)
            self._invoke_later(to, _record(subscription, notification), below)

    def _keep(
        self, topic: Topic, subscription: TopicSubscription, body: str, refusal: str, node: Node, *, hops: int
    ) -> None:
        engine, queue = self._engine, self._engine.system.get(Queue, subscription.dead_letters_arn)
        about = {key: node.data[key] for key in ("id", "detail_type") if key in node.data}
        refused = "there is no dead-letter queue"
        if queue is not None:
            refused = access.topic_send_refusal(topic, queue) or engine.refuses(queue, body, {}) or ""
        if queue is None or refused:
            words = f"{subscription.endpoint}: {refusal}; {refused}"
            engine.node("lost", topic.name, topic.account, words, node, **about)
            return
        below = engine.node("dead-lettered", queue.name, queue.account, refusal, node, **about)
        engine.send(queue, body, {}, below, hops=hops)

    def _notification(self, topic: Topic, text: str) -> dict[str, Any]:
        engine, place = self._engine, topic.place
        host = f"https://sns.{place.region}.{place.dns_suffix}"
        return {
            "Type": "Notification",
            "MessageId": engine.new_id(),
            "TopicArn": topic.arn,
            "Message": text,
            "Timestamp": engine.iso_milliseconds(),
            "SignatureVersion": "1",
            "Signature": "not signed here",
            "SigningCertURL": f"{host}/SimpleNotificationService.pem",
            "UnsubscribeURL": f"{host}/?Action=Unsubscribe&SubscriptionArn={topic.arn}",
        }


def _record(subscription: TopicSubscription, notification: dict[str, Any]) -> dict[str, Any]:
    """What a function is given: SNS spells some names otherwise there, and adds what a message may lack."""
    renamed = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
    message = {renamed.get(key, key): value for key, value in notification.items()}
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{notification['TopicArn']}:{subscription.address}",
        "Sns": message | {"Subject": None, "MessageAttributes": {}},
    }
    return {"Records": [record]}
