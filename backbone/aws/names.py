"""Physical names of resources, computed alike on both sides of a connection, so that no state is shared.

A name over AWS's limit is cut, and ends in a digest of the whole: two long names never become the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from backbone.aws.limits import (
    ARCHIVE_NAME_CHARACTERS,
    BUS_NAME_CHARACTERS,
    FUNCTION_NAME_CHARACTERS,
    LOG_DELIVERY_NAME_CHARACTERS,
    QUEUE_NAME_CHARACTERS,
    ROLE_NAME_CHARACTERS,
    RULE_NAME_CHARACTERS,
)

__all__ = [
    "BACKBONE_NAME",
    "BACKBONE_TAG",
    "BUSES",
    "BUS_NAME",
    "BUS_NAME_ALLOWED",
    "DEFAULT_BUS",
    "GLOBAL",
    "NameOf",
    "Names",
]

BACKBONE_NAME = r"[a-z0-9-]{1,20}"
BACKBONE_TAG = "backbone"
"""The tag by which deploy roles know the resources of a backbone whose ids AWS makes."""
BOOTSTRAP_PATH = "backbone/"
"""The path of the roles and policies of `backbone bootstrap`, which no role of a backbone itself has."""
BUS_NAME = rf"[A-Za-z0-9._-]{{1,{BUS_NAME_CHARACTERS}}}"
DEFAULT_BUS = "default"
"""The name of the bus that every account has."""
GLOBAL = "global"
"""What the file calls the global bus of `bus`, beside those of `buses`."""
BUSES = "_buses"
"""What a stack of an account's global buses, and what it has once, ends in. No account's name has an underscore."""
BUS_NAME_ALLOWED = f'1 to {BUS_NAME_CHARACTERS} of A-Z a-z 0-9 . _ -, and not "default"'


def fit(name: str, longest: int) -> str:
    """The name if it fits, else its beginning and a digest of the whole."""
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return f"{name[: longest - len(digest) - 1]}-{digest}"


class NameOf(Protocol):
    """Gives the physical name of a service's resource by its role in the service: `Service.name_of`."""

    def __call__(self, role: str, longest: int = FUNCTION_NAME_CHARACTERS, /) -> str:
        """A name of at most `longest` characters, unique among the account's resources of its type."""


@dataclass(frozen=True)
class Names:
    """The names of a backbone's resources. `backbone` is its own name, unique in each account and region.

    `known_as` has the services that go by another name in AWS than in the file.
    """

    backbone: str
    region: str
    known_as: Mapping[str, str] = field(default_factory=dict, hash=False)

    def called(self, service: str) -> str:
        """What a service's resources are named after."""
        return self.known_as.get(service, service)

    def global_bus(self, bus: str = GLOBAL) -> str:
        """The default name of a global bus."""
        return f"{self.backbone}-global" if bus == GLOBAL else f"{self.backbone}-{bus}-global"

    def local_bus(self, service: str) -> str:
        """The default name of a service's local bus."""
        return f"{self.backbone}-{self.called(service)}"

    def forwarding_rule(self, service: str, bus: str = GLOBAL) -> str:
        """The rule on a global bus that forwards to a service."""
        return fit(self._forward(service, bus), RULE_NAME_CHARACTERS)

    def forwarding_role(self, service: str, bus: str = GLOBAL) -> str:
        """The role of the forwarding rule. Roles belong to no region, so the name has the region in it."""
        return fit(f"{self._forward(service, bus)}-{self.region}", ROLE_NAME_CHARACTERS)

    def _forward(self, service: str, bus: str) -> str:
        # Neither a bus nor a service has an underscore in its name, so no two of these are the same.
        return f"{self.backbone}-forward-{'' if bus == GLOBAL else f'{bus}_'}{self.called(service)}"

    def of_service(self, service: str, role: str, longest: int = FUNCTION_NAME_CHARACTERS) -> str:
        """A resource that a service's module adds, by its role in the service."""
        return fit(f"{self.backbone}-{self.called(service)}-{role}", longest)

    @staticmethod
    def relay(relay: str) -> str:
        """What a relay is called among the resources of its service."""
        return f"relay-{relay}"

    def forwarding_dead_letters(self, service: str, bus: str = GLOBAL) -> str:
        """The queue of events that could not be forwarded to a service from a global bus."""
        return fit(f"{self._forward(service, bus)}-dead-letters", QUEUE_NAME_CHARACTERS)

    def key_alias(self, *, of_buses: bool = False) -> str:
        """The alias of the key that the backbone makes, of which each account and region has one.

        Where global buses are in a stack of their own, that has a key of its own.
        """
        return f"alias/{self.backbone}{BUSES if of_buses else ''}"

    @property
    def boundary(self) -> str:
        """The policy that limits every role of the backbone, with its path. Policies belong to no region."""
        return f"{BOOTSTRAP_PATH}{self.backbone}-boundary-{self.region}"

    def entry_role(self, *, planning: bool = False) -> str:
        """The role that a pipeline's jobs have at first, with its path."""
        what = "ci-plan" if planning else "ci"
        return BOOTSTRAP_PATH + fit(f"{self.backbone}-{what}-{self.region}", ROLE_NAME_CHARACTERS)

    def state_role(self, stack: str) -> str:
        """The role that reaches the state of a stack, with its path."""
        return BOOTSTRAP_PATH + fit(f"{self.backbone}-state-{stack}-{self.region}", ROLE_NAME_CHARACTERS)

    def logs_policy(self, *, of_buses: bool = False) -> str:
        """The logs resource policy of the backbone, of which each account and region has one, and so has each stack."""
        return f"{self.backbone}-events{BUSES if of_buses else ''}"


PLAN_SUFFIX = "-plan"
ROLE_SUFFIX = "role_suffix"
"""The variable of a stack that is added to the names of its deploy roles: empty, or `-plan` to plan with less."""


def plan_role(deploy_role: str) -> str:
    """The role beside a deploy role that only reads; both with their path, if any."""
    return f"{deploy_role}{PLAN_SUFFIX}"


def function_log_group(function: str) -> str:
    """The log group of a function."""
    return f"/aws/lambda/{function}"


def state_machine_log_group(machine: str) -> str:
    """The log group of a state machine. AWS expects vended logs below this prefix."""
    return f"/aws/vendedlogs/states/{machine}"


def pipe_log_group(pipe: str) -> str:
    """The log group of a pipe. AWS expects vended logs below this prefix."""
    return f"/aws/vendedlogs/pipes/{pipe}"


def delivery_stream_log_group(stream: str) -> str:
    """The log group of a delivery stream of Firehose."""
    return f"/aws/kinesisfirehose/{stream}"


def log_group(bus: str) -> str:
    """The log group of the events on a bus."""
    return f"/aws/events/{bus}"


def vended_log_group(bus: str) -> str:
    """The log group of a bus's reports. AWS expects vended logs below this prefix."""
    return f"/aws/vendedlogs/events/event-bus/{bus}"


def logging_rule(bus: str) -> str:
    """The rule that logs every event on a bus."""
    return fit(f"{bus}-log", RULE_NAME_CHARACTERS)


def confidential_logging_rule(bus: str) -> str:
    """The rule that logs the events on a bus whose detail is not to be logged."""
    return fit(f"{bus}-log-confidential", RULE_NAME_CHARACTERS)


def confidential_logging_dead_letters(bus: str) -> str:
    """The queue of such events that could not be logged."""
    return fit(f"{_dotless(bus)}-log-confidential-dead-letters", QUEUE_NAME_CHARACTERS)


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
    """A bus's name for queues and log deliveries, whose names may have no dots."""
    return bus.replace(".", "_")
