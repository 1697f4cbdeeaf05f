"""In what this machine differs from Lambda, where that can change what a simulated function does."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator

from backbone.packages import installed
from backbone.system import layers
from backbone.system.findings import Finding, finding
from backbone.system.model import Function, System

__all__ = ["differences"]


def differences(system: System) -> Iterator[Finding]:
    """Each difference once, as a note at the first function that it concerns."""
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found: dict[str, list[str]] = defaultdict(list)
    for function in system.of(Function):
        if function.runtime.startswith("python") and function.runtime != ours:
            found[f"runs on {ours} here, and on {function.runtime} on Lambda"].append(function.address)
        if missing := installed(layers.requirements(system, function)).missing:
            words = (
                f"cannot import here what its layers have on Lambda, since it is not installed: {', '.join(missing)}"
            )
            found[words].append(function.address)
    for words, (address, *others) in found.items():
        yield finding("BB191", address, f"{words} (and {len(others)} more functions)" if others else words)
