"""How many resources of a type an account may have in a region, where AWS does not raise the quota."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from backbone.aws.arn import Place
from backbone.aws.limits import LOG_RESOURCE_POLICIES
from backbone.system.findings import Finding, finding
from backbone.system.terraform import Configuration

__all__ = ["check"]

QUOTAS = {"aws_cloudwatch_log_resource_policy": LOG_RESOURCE_POLICIES}


def check(configuration: Configuration) -> Iterator[Finding]:
    """The blocks that are too many, in the order of the files."""
    counts: Counter[tuple[str, Place]] = Counter()
    for block in configuration.of(*QUOTAS):
        counts[block.type, block.place] += 1
        allowed = QUOTAS[block.type]
        if (count := counts[block.type, block.place]) > allowed:
            words = f"is number {count} of its type in {block.place.account_id} in {block.place.region}"
            yield finding("BB114", block.id, f"{words}; allowed: {allowed}")
