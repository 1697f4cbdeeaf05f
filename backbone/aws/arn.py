"""Amazon Resource Names: parsed and composed."""

from __future__ import annotations

from dataclasses import dataclass

from backbone.errors import BackboneError

__all__ = ["Arn", "ArnError", "Place"]


class ArnError(BackboneError):
    """A text is not an ARN."""


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of an ARN. `region` and `account_id` are empty where a kind of resource has none."""

    partition: str
    service: str
    region: str
    account_id: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """The parts of an ARN; ArnError when the text is not an ARN."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[1] or not parts[2] or not parts[5]:
            raise ArnError(f"got {text!r}; allowed: an ARN, as in arn:aws:sqs:eu-west-1:111111111111:orders")
        return cls(*parts[1:])

    @property
    def name(self) -> str:
        """The last part of the resource: `orders` of `table/orders`, of `function:orders` and of `orders`."""
        return self.resource.replace(":", "/").rpartition("/")[2]

    @property
    def place(self) -> Place:
        """Where the resource is."""
        return Place(self.partition, self.region, self.account_id)

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account_id}:{self.resource}"


@dataclass(frozen=True)
class Place:
    """An account in a region of a partition: where resources are."""

    partition: str
    region: str
    account_id: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a regional resource."""
        return str(Arn(self.partition, service, self.region, self.account_id, resource))

    def iam(self, resource: str) -> str:
        """The ARN of an IAM resource, such as `role/NAME` or `root`."""
        return str(Arn(self.partition, "iam", "", self.account_id, resource))

    @property
    def root(self) -> str:
        """The account as a principal: every identity in it whose own policies allow the action."""
        return self.iam("root")

    @property
    def dns_suffix(self) -> str:
        """What the host names of AWS's services end in there."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def bus(self, name: str) -> str:
        """The ARN of an event bus."""
        return self.arn("events", f"event-bus/{name}")

    def rule(self, bus: str, rule: str) -> str:
        """The ARN of a rule on a bus other than the account's default bus."""
        return self.arn("events", f"rule/{bus}/{rule}")

    def rule_on(self, bus: str, rule: str) -> str:
        """The ARN of a rule on a bus that is given as rules have it: by name, or by ARN where it may be elsewhere.

        A rule on another account's bus belongs to that account, whoever made it.
        """
        place, name = (Arn.parse(bus).place, Arn.parse(bus).name) if bus.startswith("arn:") else (self, bus)
        return place.arn("events", f"rule/{rule}") if name == "default" else place.rule(name, rule)
