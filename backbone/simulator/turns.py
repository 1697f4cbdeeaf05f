"""Threads that work on a simulation by turns: one at a time, and others while it waits for a function."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["Turns"]

Given = TypeVar("Given")

SLICE_SECONDS = 0.002
"""How long a thread that does what is due goes on before others have their turn."""

LATE_SECONDS = 5.0
"""How much later something is done than it is due before calls have to wait, so that what is due does not pile up."""

CALLS_IN_A_ROW = 16
"""How many calls have their turn before what is due on the clock, where both wait."""

TICK_SECONDS = 0.02
"""How often the clock is looked at when nothing asks for it."""


class Turns:
    """A lock, and threads that do what is due on the clock.

    A thread that has to wait for a function lets go of the lock (`away`), and another looks after the clock meanwhile.
    There are as many threads as functions that are waited for at once, and one more.
    """

    def __init__(self, do_what_is_due: Callable[[], None], lateness: Callable[[float], float]) -> None:
        self._do_what_is_due, self._lateness = do_what_is_due, lateness
        self._lock = _Lock()
        self._due = threading.Condition(self._lock)  # type: ignore[arg-type]
        self._free = threading.Condition(self._lock)  # type: ignore[arg-type]
        self._told: list[threading.Condition] = []
        self._threads: list[threading.Thread] = []
        self._leader: int | None = None
        """The thread that looks after the clock."""
        self._idle = 0
        self.absent = 0
        """How many threads wait for functions."""
        self.ended = False
        """Whether nothing more is done that is due."""

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def start(self) -> None:
        """Begin to do what is due."""
        with self:
            self._add_thread()

    def end(self) -> None:
        """Do nothing more that is due."""
        with self:
            self.ended = True
            for condition in (self._due, self._free, *self._told):
                condition.notify_all()

    def join(self) -> None:
        """Wait for the threads after the end. Those that wait for a function go on when that ends."""
        for thread in self._threads:
            thread.join()

    def wake(self) -> None:
        """Have the clock looked at now; for a thread whose turn it is."""
        self._due.notify()

    @contextmanager
    def away(self) -> Iterator[None]:
        """While this holds, others have their turn."""
        self._pass_the_clock_on()
        self.absent += 1
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()
            self.absent -= 1

    def give_way(self, due: float) -> None:
        """Let others have their turn, for a thread that does what is due, if it had its own for a while.

        `due` is since when what it has just done was due: where that is long ago, calls wait until it is not.
        """
        now = time.monotonic()
        if now - self._lock.since >= SLICE_SECONDS:
            self._lock.calls_wait = self._lateness(due) > LATE_SECONDS
            self._lock.give_way()

    def receive(self, asked: deque[Callable[[Given], None]]) -> Given | None:
        """Let others have their turn until something is given to what is put into a queue here; None at the end."""
        given: list[Given] = []
        told = threading.Condition(self._lock)  # type: ignore[arg-type]

        def give(one: Given) -> None:
            given.append(one)
            told.notify()

        asked.append(give)
        self._told.append(told)
        self._pass_the_clock_on()
        told.wait_for(lambda: self.ended or given)
        self._told.remove(told)
        return given[0] if given else None

    def _pass_the_clock_on(self) -> None:
        if self._leader != threading.get_ident():
            return
        self._leader = None
        if self._idle:
            self._free.notify()
        elif not self.ended:
            self._add_thread()

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        self._lock.of_the_clock.add(threading.get_ident())
        with self:
            while not self.ended:
                if self._leader is not None:
                    self._idle += 1
                    self._free.wait()
                    self._idle -= 1
                    continue
                me = self._leader = threading.get_ident()
                self._do_what_is_due()
                if self._leader == me:
                    self._due.wait(TICK_SECONDS)
                    self._leader = None


class _Lock:
    """A lock that is had in the order in which it was asked for; calls come before what is due on the clock.

    So that this goes on as well, every few turns are its own.
    """

    def __init__(self) -> None:
        self._own = threading.Lock()
        self._held = False
        self._calls: deque[threading.Lock] = deque()
        self._clock: deque[threading.Lock] = deque()
        self._in_a_row = 0
        self.since = 0.0
        """Since when it is held."""
        self.calls_wait = False
        """Whether what is due on the clock comes first."""
        self.of_the_clock: set[int] = set()
        """The threads that do what is due."""

    def acquire(self, blocking: bool = True) -> bool:
        with self._own:
            if not self._held:
                self._held = True
                self.since = time.monotonic()
                return True
            if not blocking:
                return False
            turn = threading.Lock()
            turn.acquire()
            waiting = self._clock if threading.get_ident() in self.of_the_clock else self._calls
            waiting.append(turn)
        turn.acquire()
        self.since = time.monotonic()
        return True

    def release(self) -> None:
        with self._own:
            clock_first = self.calls_wait or self._in_a_row >= CALLS_IN_A_ROW
            is_call = bool(self._calls) and not (self._clock and clock_first)
            waiting = self._calls if is_call else self._clock
            self._in_a_row = self._in_a_row + 1 if is_call else 0
            if waiting:
                waiting.popleft().release()
            else:
                self._held = False

    def give_way(self) -> None:
        if self._calls or self._clock:
            self.release()
            self.acquire()
