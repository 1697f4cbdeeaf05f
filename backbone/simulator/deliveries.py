"""Events on their way from a rule to a target."""

from __future__ import annotations

from backbone.aws.arn import Arn
from backbone.simulator.engine import Event
from backbone.system.access import Refusal
from backbone.system.model import EventBus, LogGroup, Resource, Target
from backbone.trace import Node

__all__ = ["Delivery", "Link"]


class Link:
    """A target with what is known of it before any event comes: it is looked up once, not for every delivery."""

    __slots__ = ("other_region", "refusals", "takes_event", "target", "to")

    def __init__(self, target: Target, to: Resource | None) -> None:
        self.target = target
        self.to = to
        self.takes_event = isinstance(to, EventBus) or (isinstance(to, LogGroup) and target.input.is_whole)
        """Whether it takes the event itself, which then need not be written out for it."""
        self.other_region = isinstance(to, EventBus) and to.place.region != Arn.parse(target.rule_arn).region
        self.refusals: dict[tuple[str, str], Refusal | None] = {}
        """Why events of a source and type may not be delivered to it; None when they may."""


class Delivery:
    """An event on its way to one target."""

    __slots__ = ("attempts", "event", "hops", "link", "node", "retrying", "since", "target")

    def __init__(self, link: Link, event: Event, node: Node, hops: int, since: float) -> None:
        self.link = link
        self.target = link.target
        self.event = event
        self.node = node
        self.hops = hops
        self.since = since
        self.attempts = 0
        self.retrying: Node | None = None
