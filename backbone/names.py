"""Every physical name and ARN that two accounts, or two stacks, must agree on.

Names are a pure function of what the user wrote, so each side computes them alone and no state is shared.
Where AWS's limit is shorter than a name may get, the name is cut and ends in a digest of the whole, so that
two long names never meet. Limits are those of the API references of EventBridge, SQS, IAM and CloudWatch Logs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = ["BACKBONE_NAME", "BUS_NAME", "BUS_NAME_ALLOWED", "REGIONS", "Names", "Place", "partition_of"]

BACKBONE_NAME = r"[a-z0-9-]{1,20}"
BUS_NAME = r"[A-Za-z0-9._-]{1,256}"
BUS_NAME_ALLOWED = '1 to 256 of A-Z a-z 0-9 . _ - (EventBridge\'s characters for a custom bus), and not "default"'

REGIONS = {
    "aws": """
        af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2
        ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7
        ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2
        eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1
        us-west-2
    """.split(),  # noqa: SIM905
    "aws-cn": ["cn-north-1", "cn-northwest-1"],
    "aws-us-gov": ["us-gov-east-1", "us-gov-west-1"],
}
"""The regions known here, by partition. A region that is newer than this list needs `partition` in the file."""

RULE, ROLE, FUNCTION, QUEUE, ARCHIVE, DELIVERY = 64, 64, 64, 80, 48, 60  # longest names, in characters


def partition_of(region: str) -> str | None:
    """The partition that a known region belongs to."""
    return next((partition for partition, regions in REGIONS.items() if region in regions), None)


def fit(name: str, longest: int) -> str:
    """The name itself where it fits, else its beginning and a digest of the whole."""
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return f"{name[: longest - len(digest) - 1]}-{digest}"


@dataclass(frozen=True)
class Place:
    """One account in one region of one partition: what an ARN begins with."""

    partition: str
    region: str
    account_id: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a regional resource."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    def iam(self, resource: str) -> str:
        """The ARN of an IAM resource, such as `role/NAME` or `root`."""
        return f"arn:{self.partition}:iam::{self.account_id}:{resource}"

    @property
    def root(self) -> str:
        """The account as a principal: any identity in it that its own policies allow."""
        return self.iam("root")

    def bus(self, name: str) -> str:
        """The ARN of an event bus."""
        return self.arn("events", f"event-bus/{name}")

    def rule(self, bus: str, rule: str) -> str:
        """The ARN of a rule on a bus other than the account's default one."""
        return self.arn("events", f"rule/{bus}/{rule}")


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
        return fit(f"{self.backbone}-forward-{service}", RULE)

    def forwarding_role(self, service: str) -> str:
        """The role of that rule. IAM knows no regions, so the name holds the region."""
        return fit(f"{self.backbone}-forward-{service}-{self.region}", ROLE)

    def of_service(self, service: str, role: str, longest: int = FUNCTION) -> str:
        """A resource that a service's own code declares, by its role there."""
        return fit(f"{self.backbone}-{service}-{role}", longest)

    def forwarding_dead_letters(self, service: str) -> str:
        """The queue of events that could not be forwarded to a service."""
        return fit(f"{self.backbone}-forward-{service}-dead-letters", QUEUE)

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
    return fit(f"{bus}-log", RULE)


def logging_dead_letters(bus: str) -> str:
    """The queue of events that could not be logged."""
    return fit(f"{_dotless(bus)}-log-dead-letters", QUEUE)


def bus_dead_letters(bus: str) -> str:
    """The queue of events that a bus could not encrypt or decrypt with its own key."""
    return fit(f"{_dotless(bus)}-bus-dead-letters", QUEUE)


def archive(bus: str) -> str:
    """The archive of a bus."""
    return fit(bus, ARCHIVE)


def delivery(bus: str, role: str) -> str:
    """A source or destination of log delivery."""
    return fit(f"{_dotless(bus)}-{role}", DELIVERY)


def _dotless(bus: str) -> str:
    """A bus's name where AWS takes no dots: a bus may have them, a queue and a log delivery may not."""
    return bus.replace(".", "_")
