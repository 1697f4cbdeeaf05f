"""Chromium, and the page of `backbone up` in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from backbone.simulator import Simulator
from backbone.simulator.server import Server
from tests.simulator.conftest import load  # noqa: F401 - a fixture

SIZE: ViewportSize = {"width": 1440, "height": 900}
REFUSED = "status of 400"
"""What the browser itself says of calls that were refused, which the page shows."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or the browser at $CHROMIUM."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.fail("there is no Chromium: run `make browser`, or set CHROMIUM to the path of Chromium or Chrome")
    with sync_playwright() as playwright:
        # Chromium's sandbox needs what containers do not have; the page is our own.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def server(load: Callable[..., Simulator]) -> Iterator[Server]:  # noqa: F811
    """The example, served."""
    with Server(load(), port=0) as served:
        yield served


@pytest.fixture
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    """The page, connected; anything that it writes to the console, or throws, fails the test."""
    problems: list[str] = []
    page = chromium.new_page(viewport=SIZE)
    page.on("console", lambda message: None if REFUSED in message.text else problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(server.page_url)
    page.wait_for_selector("#state.live")
    page.wait_for_selector("#map .place")
    yield page
    page.close()
    assert problems == []
