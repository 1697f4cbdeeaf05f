"""A simulation on real time, on which threads work by turns."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from backbone.errors import BackboneError
from backbone.simulator.simulator import Simulator
from backbone.simulator.turns import Turns

__all__ = ["Live"]

KEPT = 2_000
"""How many events, and entries of each log and archive, are remembered at least."""

SWITCH_SECONDS = 0.0005
"""After how long a thread makes way for another. Python's 5 ms would be waited for at every answer of a function."""

PATIENCE_SECONDS = 5.0
"""How long the end waits for what is being done."""


class Live:
    """Lets happen what is due, as real time passes, or earlier where the clock is advanced.

    Whoever works on the simulator does so in a `with` block. `on_failure` is called when the simulation cannot go on.
    """

    def __init__(self, simulator: Simulator, on_failure: Callable[[BackboneError], None]) -> None:
        self.simulator = simulator
        self._on_failure = on_failure
        self._turns = Turns(self._do_what_is_due, lambda due: self._now - due)
        self._offset = simulator.now - time.monotonic()
        self._failed = False

    def __enter__(self) -> Simulator:
        self._turns.__enter__()
        return self.simulator

    def __exit__(self, *_: object) -> None:
        self._turns.wake()
        self._turns.__exit__()

    def start(self) -> None:
        """Start the functions and the clock."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self.simulator.work_by(self._turns)
        with self:
            self.simulator.start_functions()
        self._turns.start()

    def take_over(self, before: Live) -> None:
        """Go on where another has stopped, which is over then."""
        before.end()
        self.simulator.take_over(before.simulator)
        self._offset = before._offset
        before.simulator.close()

    def finish(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Let happen what is due now, and wait for what functions are doing; not longer than some seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._is_idle():
            time.sleep(0.01)

    def end(self) -> None:
        """Do nothing more, and end the functions, whatever they are doing.

        The simulator then works on the thread of whoever calls it, as it did before the start.
        """
        self._turns.end()
        with self:
            self.simulator.end_functions()
        self._turns.join()
        end = time.monotonic() + PATIENCE_SECONDS
        while self._turns.absent and time.monotonic() < end:
            time.sleep(0.01)  # calls whose function has ended just now
        if not self._turns.absent:
            self.simulator.work_by(None)

    def advance(self, seconds: float) -> None:
        """Let so much more time pass at once; for a thread whose turn it is."""
        self._offset += seconds

    def _is_idle(self) -> bool:
        with self:
            return self._failed or (self._turns.absent == 0 and self.simulator.next_at() > self._now)

    @property
    def _now(self) -> float:
        return time.monotonic() + self._offset

    def _do_what_is_due(self) -> None:
        if self._failed:
            return
        try:
            self.simulator.run_until_idle(at_most=max(0.0, self._now - self.simulator.now))
        except BackboneError as error:
            self._failed = True
            self._on_failure(error)
        if len(self.simulator.trace().roots) > 2 * KEPT:
            self.simulator.forget(keep=KEPT)
