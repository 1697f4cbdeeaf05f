"""News for every open page, as server-sent events: what happened since the last, ten times a second at most."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

__all__ = ["Stream"]

PAUSE_SECONDS = 0.1
QUIET_SECONDS = 10
"""How long nothing is sent where there are no news."""


class Stream:
    """Asks for the news, and gives the same to every page that is open."""

    def __init__(self, tick: Callable[[], dict[str, Any]]) -> None:
        self._tick = tick
        self._pages: set[asyncio.Queue[str]] = set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def close(self) -> None:
        """Send no more; for any thread."""
        self._closed = True

    async def news(self) -> AsyncIterator[str]:
        """What a page is sent."""
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=20)
        self._pages.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            yield "retry: 500\n\n"
            while not self._closed:
                with suppress(TimeoutError):
                    yield await asyncio.wait_for(queue.get(), 0.5)
        finally:
            self._pages.discard(queue)

    async def _run(self) -> None:
        last, quiet = "", 0.0
        while self._pages and not self._closed:
            news = self._tick()
            text = json.dumps({name: value for name, value in news.items() if name not in ("now", "time")})
            quiet += PAUSE_SECONDS
            if text != last or quiet >= 1:
                last, quiet = text, 0.0
                for queue in list(self._pages):
                    with suppress(asyncio.QueueFull):  # a page that does not keep up gets the next
                        queue.put_nowait(f"data: {json.dumps(news)}\n\n")
            await asyncio.sleep(PAUSE_SECONDS)
