"""The physical names that both sides of a connection compute alone, so that no state is shared.

Where AWS's limit is shorter than a name may get, the name is cut and ends in a digest of the whole, so that
two long names never meet.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from backbone.aws.limits import (
    ARCHIVE_NAME_CHARACTERS,
    FUNCTION_NAME_CHARACTERS,
    LOG_DELIVERY_NAME_CHARACTERS,
    QUEUE_NAME_CHARACTERS,
    ROLE_NAME_CHARACTERS,
    RULE_NAME_CHARACTERS,
)

__all__ = ["BACKBONE_NAME", "BUS_NAME", "BUS_NAME_ALLOWED", "NameOf", "Names"]

BACKBONE_NAME = r"[a-z0-9-]{1,20}"
BUS_NAME = r"[A-Za-z0-9._-]{1,256}"
BUS_NAME_ALLOWED = '1 to 256 of A-Z a-z 0-9 . _ - (EventBridge\'s characters for a custom bus), and not "default"'


def fit(name: str, longest: int) -> str:
    """The name itself where it fits, else its beginning and a digest of the whole."""
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return f"{name[: longest - len(digest) - 1]}-{digest}"


class NameOf(Protocol):
    """Gives the physical name of something in a service by its role there: `Service.name_of`."""

    def __call__(self, role: str, longest: int = FUNCTION_NAME_CHARACTERS, /) -> str:
        """At most `longest` characters, unique in the account for its kind of resource."""


@dataclass(frozen=True)
class Names:
    """The names of one backbone: `backbone` is its own name, unique per account and region."""

    backbone: str
    region: str

    @property
    def global_bus(self) -> str:
        """The global bus, unless the file names it otherwise."""
        return f"{self.backbone}-global"

    def local_bus(self, service: str) -> str:
        """A service's local bus, unless the file names it otherwise."""
        return f"{self.backbone}-{service}"

    def forwarding_rule(self, service: str) -> str:
        """The rule on the global bus that forwards to a service."""
        return fit(f"{self.backbone}-forward-{service}", RULE_NAME_CHARACTERS)

    def forwarding_role(self, service: str) -> str:
        """The role of that rule. IAM knows no regions, so the name holds the region."""
        return fit(f"{self.backbone}-forward-{service}-{self.region}", ROLE_NAME_CHARACTERS)

    def of_service(self, service: str, role: str, longest: int = FUNCTION_NAME_CHARACTERS) -> str:
        """A resource that a service's own code declares, by its role there."""
        return fit(f"{self.backbone}-{service}-{role}", longest)

    def forwarding_dead_letters(self, service: str) -> str:
        """The queue of events that could not be forwarded to a service."""
        return fit(f"{self.backbone}-forward-{service}-dead-letters", QUEUE_NAME_CHARACTERS)

    @property
    def logs_policy(self) -> str:
        """The one logs resource policy of this backbone in each account and region."""
        return f"{self.backbone}-events"


def function_log_group(function: str) -> str:
    """The log group of a function."""
    return f"/aws/lambda/{function}"


def log_group(bus: str) -> str:
    """The log group of the events on a bus."""
    return f"/aws/events/{bus}"


def vended_log_group(bus: str) -> str:
    """The log group of what a bus reports of itself; AWS expects vended logs below this prefix."""
    return f"/aws/vendedlogs/events/event-bus/{bus}"


def logging_rule(bus: str) -> str:
    """The rule that logs every event on a bus."""
    return fit(f"{bus}-log", RULE_NAME_CHARACTERS)


def logging_dead_letters(bus: str) -> str:
    """The queue of events that could not be logged."""
    return fit(f"{_dotless(bus)}-log-dead-letters", QUEUE_NAME_CHARACTERS)


def bus_dead_letters(bus: str) -> str:
    """The queue of events that a bus could not encrypt or decrypt with its own key."""
    return fit(f"{_dotless(bus)}-bus-dead-letters", QUEUE_NAME_CHARACTERS)


def archive(bus: str) -> str:
    """The archive of a bus."""
    return fit(bus, ARCHIVE_NAME_CHARACTERS)


def delivery(bus: str, role: str) -> str:
    """A source or destination of log delivery."""
    return fit(f"{_dotless(bus)}-{role}", LOG_DELIVERY_NAME_CHARACTERS)


def _dotless(bus: str) -> str:
    """A bus's name where AWS takes no dots: a bus may have them, a queue and a log delivery may not."""
    return bus.replace(".", "_")
