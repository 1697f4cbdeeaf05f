"""Filters of subscriptions against the schemas of what is published."""

from __future__ import annotations

from collections.abc import Iterator

from backbone.manifest import Manifest, ManifestSubscription
from backbone.patterns import Pattern
from backbone.system.findings import Finding, finding

__all__ = ["check"]


def check(manifest: Manifest) -> Iterator[Finding]:
    """Fields that a filter asks for and that the events of a publisher do not have."""
    for name, service in manifest.services.items():
        for subscription in service.subscribes:
            asked = _fields(subscription)
            for other, sender in manifest.services.items():
                for detail_type, known in sender.fields.items() if asked and other != name else ():
                    if any(subscription.takes(*event) for event in sender.events if event[0] == detail_type):
                        for field in asked:
                            if not _has(known, field):
                                words = (
                                    f"{name} subscribes to {detail_type} by detail.{field}, a field that {other}'s "
                                    f"schema of it does not have; it has {', '.join(known)}"
                                )
                                yield finding("BB713", str(service.local_bus), words)


def _fields(subscription: ManifestSubscription) -> list[str]:
    if subscription.detail is None:
        return []
    combinations = Pattern.parse({"detail": subscription.detail}).combinations
    return sorted({".".join(path[1:]) for conditions in combinations for path in conditions})


def _has(known: tuple[str, ...], field: str) -> bool:
    """Whether a field is known, has known fields below it, or is below what may have any."""
    return any(
        one == field or one.startswith(f"{field}.") or (one.endswith(".*") and field.startswith(one[:-1]))
        for one in known
    )
