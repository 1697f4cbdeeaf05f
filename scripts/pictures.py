"""Take the pictures of the page of `backbone up` anew, as an order and a dead letter look on it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from backbone import topology
from backbone.simulator import Simulator
from backbone.simulator.server import Server
from backbone.synthesis import output

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
RUN_MILLISECONDS = 700
"""How long after an order a picture is taken, so that events are on their way."""


def opened(browser: Browser, server: Server, scheme: str) -> Page:
    """The page, ready for a picture."""
    page = browser.new_page(viewport={"width": 1360, "height": 820}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(server.page_url)
    page.wait_for_selector("#state.live")
    page.wait_for_selector("#map .place")
    return page


def order(page: Page) -> None:
    """Post an order."""
    page.get_by_role("tab", name="Send").click()
    page.get_by_role("button", name="Call").click()
    page.wait_for_selector("#call output:not(:empty)")


def main() -> None:
    """Write the pictures into docs/images."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        output.synth(topology.load(ROOT / "backbone.yaml"), Path(folder))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with Simulator.load(folder) as sim, Server(sim, port=0) as server:
            light = opened(browser, server, "light")
            order(light)  # the first starts the functions
            light.locator("#rows tr", has_text="Order.Updated").wait_for()
            light.locator("#rows tr", has_text="Order.Created").first.click()
            light.evaluate(
                "fetch('api/calls', {method: 'POST', headers: {'content-type': 'application/json'}, body: "
                "JSON.stringify({method: 'POST', path: '/orders', caller: 'order', body: "
                "{customer: 'c-2', items: [{sku: 'tea', quantity: 1, price: 2}]}})})"
            )
            light.wait_for_timeout(RUN_MILLISECONDS)
            light.screenshot(path=IMAGES / "up-order.png")
            light.close()
            dark = opened(browser, server, "dark")
            dark.get_by_role("tab", name="Faults").click()
            dark.get_by_label("Kind").select_option("deny")
            dark.get_by_label("Of", exact=True).fill("shop-delivery-service")
            dark.get_by_role("button", name="Switch on").click()
            order(dark)
            dark.locator("#map .dead.some").click()
            dark.get_by_role("button", name="Redrive").wait_for()
            dark.wait_for_timeout(RUN_MILLISECONDS)
            dark.screenshot(path=IMAGES / "up-dead-letter.png")
        browser.close()


if __name__ == "__main__":
    main()
