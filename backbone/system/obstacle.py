"""What is in the way of what a target was sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["Obstacle"]


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Why something that is sent to a target is lost behind it, or why nothing tells what became of it.

    `behind` are the ARNs by which targets name it, where everything is lost that it is sent; none where some is.
    """

    rule: str
    address: str
    words: str
    behind: Collection[str] = ()
