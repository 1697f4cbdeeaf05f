"""Whether a simulation ended as it should: what happened that should not have, and what did not that should have."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, get_args

from backbone.simulator.faults import Fault
from backbone.system.findings import Finding
from backbone.trace import Outcome, Trace

__all__ = ["ALLOWABLE", "Allowable", "problems"]

Allowable = Literal["denied", "refused", "failed", "dead-letter", "lost", "http-error", "finding"]
"""What may be allowed to happen: the bad ends of a trace, and findings."""

ALLOWABLE: tuple[Allowable, ...] = get_args(Allowable)
SHOWN = 3


def problems(
    trace: Trace,
    findings: Sequence[Finding],
    faults: Sequence[Fault],
    *,
    allow: Collection[Allowable],
    expect: Mapping[str, int | None],
) -> list[str]:
    """Everything that is not as it should be, in words; empty when all is well.

    `expect` has detail-types, each with how many events of it must have been published; None is one or more.
    """
    return [
        *_findings(findings, allow),
        *_bad_ends(trace, allow),
        *(f"the fault {fault} struck nothing" for fault in faults if not fault.struck),
        *_missing(trace, expect),
    ]


def _findings(findings: Sequence[Finding], allow: Collection[Allowable]) -> Iterator[str]:
    grave = [finding for finding in findings if finding.severity != "note"]
    if grave and "finding" not in allow:
        yield f"{len(grave)} findings, the first {grave[0].rule} at {grave[0]}"


def _bad_ends(trace: Trace, allow: Collection[Allowable]) -> Iterator[str]:
    ends: dict[Outcome, list[str]] = {}
    for node in trace:
        if (outcome := node.outcome) is not None and outcome not in allow:
            ends.setdefault(outcome, []).append(f"{node.place} {node.words}".strip())
    for outcome, places in ends.items():
        more = f"; and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
        yield f"{len(places)} {outcome}: {'; '.join(places[:SHOWN])}{more}"


def _missing(trace: Trace, expect: Mapping[str, int | None]) -> Iterator[str]:
    for detail_type, count in expect.items():
        published = trace.published(detail_type)
        if published != count if count is not None else not published:
            wanted = "one or more" if count is None else str(count)
            yield f"expected {wanted} of {detail_type}; {published} were published"
