"""Threads that work on a simulation by turns: one at a time, and others while it waits for a function."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Turns"]

TICK_SECONDS = 0.02
"""How often the clock is looked at when nothing asks for it."""


class Turns:
    """A lock that is had in the order in which it was asked for, and threads that do what is due on the clock.

    A thread that has to wait for a function lets go of the lock (`away`), and another looks after the clock meanwhile.
    There are as many threads as functions that are waited for at once, and one more.
    """

    def __init__(self, do_what_is_due: Callable[[], None]) -> None:
        self._do_what_is_due = do_what_is_due
        self._lock = _Lock()
        self._due = threading.Condition(self._lock)  # type: ignore[arg-type]
        self._free = threading.Condition(self._lock)  # type: ignore[arg-type]
        self._changed = threading.Condition(self._lock)  # type: ignore[arg-type]
        self._threads: list[threading.Thread] = []
        self._leader: int | None = None
        """The thread that looks after the clock."""
        self._idle = 0
        self.absent = 0
        """How many threads wait for functions."""
        self._ended = False

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
            self._ended = True
            for condition in (self._due, self._free, self._changed):
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

    def give_way(self) -> None:
        """Let those have their turn who wait for it."""
        self._lock.give_way()

    def wait_until(self, holds: Callable[[], bool]) -> bool:
        """Let others have their turn until something holds, of which `changed` tells; False at the end."""
        if not holds():
            self._pass_the_clock_on()
            self._changed.wait_for(lambda: self._ended or holds())
        return not self._ended

    def changed(self) -> None:
        """Have those who wait for something look again."""
        self._changed.notify_all()

    def _pass_the_clock_on(self) -> None:
        if self._leader != threading.get_ident():
            return
        self._leader = None
        if self._idle:
            self._free.notify()
        elif not self._ended:
            self._add_thread()

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        with self:
            while not self._ended:
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
    """A lock that is had in the order in which it was asked for."""

    def __init__(self) -> None:
        self._own = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, blocking: bool = True) -> bool:
        with self._own:
            if not self._held:
                self._held = True
                return True
            if not blocking:
                return False
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()
        return True

    def release(self) -> None:
        with self._own:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False

    def give_way(self) -> None:
        if self._waiting:
            self.release()
            self.acquire()
