"""SNS topics, as blocks of Terraform say them."""

from __future__ import annotations

import json

from backbone.patterns import Pattern, PatternError
from backbone.system.blocks import Blocks
from backbone.system.iam import TOPIC
from backbone.system.model import Topic, TopicSubscription
from backbone.system.values import Values

__all__ = ["read_topic"]


def read_topic(blocks: Blocks, values: Values) -> Topic:
    """A block `aws_sns_topic` with its policy and its subscriptions."""
    block, arn = values.block, values.text("arn")
    return Topic(
        address=block.id,
        name=values.text("name"),
        arn=arn,
        account=block.account,
        place=block.place,
        policy=blocks.own_policy(values, "aws_sns_topic_policy", arn, TOPIC, resource=arn),
        subscriptions=blocks.read_attached("aws_sns_topic_subscription", arn, _subscription),
    )


def _subscription(values: Values) -> TopicSubscription:
    redrive = values.document("redrive_policy").get("deadLetterTargetArn")
    return TopicSubscription(
        address=values.block.id,
        protocol=values.text("protocol"),
        endpoint=values.text("endpoint"),
        raw=values.flag("raw_message_delivery", default=False),
        filter=_filter(values),
        filters_body=values.text("filter_policy_scope", "MessageAttributes") == "MessageBody",
        dead_letters_arn=None if redrive is None else str(redrive),
    )


def _filter(values: Values) -> Pattern | None:
    found = values.document("filter_policy")
    try:
        return Pattern.parse(json.dumps(found)) if found else None
    except PatternError as error:
        raise values.wrong("filter_policy", json.dumps(found), f"a filter policy ({error})") from None
