"""What is made to go wrong, where and when."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, get_args

from backbone.errors import BackboneError

__all__ = ["CallKind", "Fault", "FaultError", "Kind"]

CallKind = Literal[
    "call-error", "call-throttle", "call-lost", "call-timeout", "crash-before", "crash-after", "concurrent"
]
"""What goes wrong with an AWS call of a function."""

Kind = Literal["throttle", "deny", "timeout", "crash", "duplicate", "delay", "reorder"] | CallKind
KINDS: tuple[str, ...] = tuple(kind for kinds in get_args(Kind) for kind in get_args(kinds))
SYNTAX = re.compile(
    r"(?P<kind>[a-z-]+):(?P<target>[^@%]+?)(@(?P<begin>[0-9.]+)-(?P<end>[0-9.]+)?)?(%(?P<times>[0-9]+))?"
)


class FaultError(BackboneError):
    """A fault that cannot be read."""


@dataclass
class Fault:
    """Something that goes wrong with what is delivered to the targets that match `target`, or with a function's calls.

    `target` is a name, an ARN or an address, with `*` for any characters. `throttle`, `deny` and `timeout` fail an
    attempt; a function that meets `crash` does its work and then dies; `duplicate` delivers twice; `delay` and
    `reorder` deliver later, by `seconds` or by a random part of them.

    The others strike an AWS call of a function, and `target` ends with the operation, as in `*on-event/PutItem`.
    `call-error` and `call-throttle` refuse it; `call-lost` does it and answers with an error; `call-timeout` does it
    and never answers; the function dies before the call is done (`crash-before`) or after that (`crash-after`);
    `concurrent` has a copy of the invocation run in another process between the call before and this call.

    It holds from `begin` to `end`, in seconds since the simulator was made, lets the first `skip` that it would strike
    pass, and strikes at most `times` times.
    """

    kind: Kind
    target: str
    begin: float = 0
    end: float = float("inf")
    times: float = float("inf")
    seconds: float = 60
    skip: int = 0
    struck: int = field(default=0, compare=False)
    """How often it has struck so far."""

    def __str__(self) -> str:
        during = "" if (self.begin, self.end) == (0, float("inf")) else f"@{self.begin:g}-{self.end:g}"
        return f"{self.kind}:{self.target}{during.replace('-inf', '-')}"

    @classmethod
    def parse(cls, text: str) -> Fault:
        """`KIND:TARGET`, then `@BEGIN-END` in seconds if it is not to hold always, then `%TIMES`."""
        found = SYNTAX.fullmatch(text)
        if found is None or found["kind"] not in KINDS:
            raise FaultError(
                f"--fault: got {text!r}; allowed: KIND:TARGET, as in throttle:*delivery*@0-3600 or crash:*on-event%2, "
                f"where KIND is one of {', '.join(KINDS)}"
            )
        times = float(found["times"] or "inf")
        return cls(found["kind"], found["target"], float(found["begin"] or 0), float(found["end"] or "inf"), times)  # type: ignore[arg-type]

    def strikes(self, kinds: tuple[Kind, ...], names: tuple[str, ...], seconds: float) -> bool:
        """Whether it strikes something of these names now, which uses up one of its times."""
        if self.kind not in kinds or self.times < 1 or not self.begin <= seconds < self.end:
            return False
        if not any(fnmatchcase(name, self.target) for name in names):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        self.struck += 1
        return True
