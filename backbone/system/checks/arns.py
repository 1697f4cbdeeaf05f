"""ARNs that are written out, wherever they stand: that their partition and their region are those of some resource."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from backbone.aws.regions import REGIONS
from backbone.system.findings import Finding, finding
from backbone.system.terraform import Block, Configuration

__all__ = ["check"]

ARN = re.compile(r"arn:(aws[\w-]*):([\w-]+):([\w*-]*):")
EXAMPLE = 3
"""Regions that are shown as allowed."""


def check(configuration: Configuration) -> Iterator[Finding]:
    """ARNs that name a partition that the block is not in, or a region that there is not."""
    for block in configuration:
        for partition, service, region in dict.fromkeys(_arns({**block.body, "//": None})):
            if words := _problem(block, partition, region):
                yield finding("BB108", block.id, f"arn:{partition}:{service}:{region}:… {words}")


def _problem(block: Block, partition: str, region: str) -> str | None:
    place = block.place
    if partition != place.partition:
        return f"is of the partition {partition}; allowed: {place.partition}, the one of {place.region}"
    known = next((regions for name, regions in REGIONS.items() if name == partition), [])
    if region and "*" not in region and region not in {*known, place.region}:
        return f"names no region of {partition}; allowed: {', '.join(known[:EXAMPLE])} and others"
    return None


def _arns(value: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, str):
        yield from ARN.findall(value)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _arns(part)
    elif isinstance(value, list):
        for part in value:
            yield from _arns(part)
