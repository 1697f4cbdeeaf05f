"""The page as a person uses it, in Chromium."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from backbone import topology
from backbone.simulator import Simulator
from backbone.simulator.server import Server
from backbone.synthesis import output
from tests.browser.conftest import SIZE
from tests.conftest import ROOT
from tests.simulator.test_server import ENTRY

QUEUE = "shop-forward-delivery-service-dead-letters"


def row(page: Page, words: str) -> Locator:
    """The newest event with some words."""
    return page.locator("#rows tr", has_text=words).first


def post_an_order(page: Page) -> None:
    page.get_by_role("tab", name="Send").click()
    page.get_by_role("button", name="Call").click()
    expect(page.locator("#call output")).to_contain_text("201")


def test_an_order_a_fault_a_dead_letter_and_its_redrive(page: Page) -> None:
    post_an_order(page)
    expect(row(page, "Order.Updated")).to_be_visible()
    row(page, "Order.Created").get_by_role("button").click()
    panel = page.locator("#event")
    expect(panel.locator(".decisions")).to_contain_text("statement Account222222222222")
    expect(panel.locator(".decisions li", has_text="shop-forward-delivery-service")).to_contain_text("matched by rule")
    expect(panel.locator(".decisions li", has_text="shop-forward-order-service")).to_contain_text(
        "required anything but"
    )
    tree = panel.locator(".tree")
    for words in ("http order: shop-order-service-http-api POST /orders", "put bus: shop-global Order.Updated"):
        expect(tree).to_contain_text(words)

    page.get_by_role("tab", name="Faults").click()
    page.get_by_label("Kind").select_option("deny")
    page.get_by_label("Of", exact=True).fill("shop-delivery-service")
    page.get_by_role("button", name="Switch on").click()
    switch = page.get_by_role("switch", name="deny:shop-delivery-service")
    expect(switch).to_be_checked()

    post_an_order(page)
    expect(row(page, "Order.Created").locator(".badge")).to_have_text("dead-letter")
    expect(page.locator("#dead")).to_have_text("1")
    expect(page.locator("#map .dead.some")).to_have_text("1 dead letter: redrive")
    row(page, "Order.Created").get_by_role("button").click()
    expect(panel.locator(".decisions")).to_contain_text("NO_PERMISSIONS: denied by a fault")

    page.get_by_role("tab", name="Faults").click()
    switch.uncheck()
    expect(page.locator("#active")).to_be_hidden()
    page.locator("#map .dead.some").click()
    page.get_by_role("button", name="Redrive").click()
    expect(page.locator("#dead")).to_be_hidden()
    expect(row(page, "redriven").locator(".badge")).to_have_text("delivered")
    expect(row(page, "Order.Updated")).to_be_visible()
    expect(page.locator("#rows tr", has_text="Order.Updated")).to_have_count(2)


def test_events_are_put_filtered_and_replayed(page: Page) -> None:
    post_an_order(page)
    expect(row(page, "Order.Updated")).to_be_visible()
    row(page, "Delivery.Updated").get_by_role("button").click()
    page.get_by_role("button", name="Put one like it").click()
    put = page.locator("#put")
    expect(put.get_by_label("Source")).to_have_value("delivery-service")
    put.get_by_role("button", name="Put").click()
    expect(put.locator("output")).to_contain_text("accepted")
    expect(page.locator("#rows tr", has_text="Delivery.Updated")).to_have_count(2)
    put.get_by_label("Source").fill("order-service")
    put.get_by_role("button", name="Put").click()
    expect(put.locator("output")).to_contain_text("NotAuthorizedForSourceException")
    expect(row(page, "denied").locator(".badge")).to_have_text("denied")

    rows = page.locator("#rows tr")
    page.get_by_label("Event pattern").fill('{"detail-type": ["Order.Created"]}')
    expect(rows).to_have_count(1)
    page.get_by_label("Event pattern").fill('{"detail-type": "Order.Created"}')
    expect(page.locator("#filter-error")).to_contain_text("detail-type")
    page.get_by_label("Event pattern").fill("")
    page.get_by_label("Only with problems").check()
    expect(rows).to_have_count(1)
    page.get_by_label("Only with problems").uncheck()
    page.locator("#filters").get_by_label("Service").select_option("delivery-service")
    expect(rows.filter(has_text="POST /orders")).to_have_count(0)

    row(page, "Order.Created").get_by_role("button").click()
    page.get_by_role("button", name="Replay").click()
    expect(row(page, "replayed")).to_contain_text("Order.Created")


def test_the_clock_and_the_keyboard(page: Page) -> None:
    expect(page.locator("#clock")).to_contain_text("2024-01-01")
    page.get_by_role("button", name="+1 day").click()
    expect(page.locator("#clock")).to_contain_text("2024-01-02")
    page.get_by_role("tab", name="Send").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Event")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#do")).to_be_visible()


def test_a_thousand_events_a_second_do_not_freeze_it(page: Page, server: Server) -> None:
    stop = threading.Event()

    def put() -> None:
        while not stop.is_set():
            began = time.monotonic()
            with server.live as simulator:
                simulator.put_events([ENTRY] * 10, caller="order-service")
            stop.wait(max(0.0, 0.01 - (time.monotonic() - began)))

    thread = threading.Thread(target=put)
    thread.start()
    try:
        frames = page.evaluate(
            """() => new Promise((done) => {
                const times = [], end = performance.now() + 3000;
                const frame = (now) => {
                    times.push(now);
                    now < end ? requestAnimationFrame(frame) : done(times);
                };
                requestAnimationFrame(frame);
            })"""
        )
        counted = page.locator("#numbers dd").first.inner_text()
        nodes = page.evaluate("document.getElementsByTagName('*').length")
    finally:
        stop.set()
        thread.join()
    longest = max(after - before for before, after in pairwise(frames))
    assert int(counted.replace(",", "")) > 500
    assert longest < 1_000, f"the page stood still for {longest:.0f} ms"
    assert len(frames) > 45, f"{len(frames)} frames in three seconds"
    assert nodes < 4_000


def test_it_is_readable_in_light_and_dark_and_on_a_narrow_screen(chromium: Browser, server: Server) -> None:
    for scheme, width in (("light", SIZE["width"]), ("dark", SIZE["width"]), ("light", 420)):
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(server.page_url)
        page.wait_for_selector("#map .place")
        post_an_order(page)
        row(page, "Order.Created").get_by_role("button").click()
        page.wait_for_selector("#event .title")
        faint = page.evaluate(CONTRAST)
        assert faint == [], (scheme, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()


@pytest.mark.parametrize("name", ["all-features", "same-account", "direct"])
def test_other_systems_have_a_map_too(chromium: Browser, load: Callable[..., Simulator], name: str) -> None:
    problems: list[str] = []
    with Server(load(name), port=0) as server:
        page = chromium.new_page(viewport=SIZE)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(server.page_url)
        page.wait_for_selector("#map .place.bus")
        places, outside = page.evaluate(PLACES)
        page.close()
    assert places > 5
    assert outside == []
    assert problems == []


PLACES = """() => {
    const box = (shown) => shown.getBoundingClientRect();
    const cards = [...document.querySelectorAll("#map .card > rect")].map(box);
    const places = [...document.querySelectorAll("#map .place, #map .card .name")];
    const lies = (one, other) => one.left >= other.left - 1 && one.right <= other.right + 1
        && one.top >= other.top - 1 && one.bottom <= other.bottom + 1;
    return [places.length, places.filter((place) => !cards.some((card) => lies(box(place), card)))
        .map((place) => place.textContent)];
}"""
"""How many places and names there are, and those that do not lie in a card."""


CONTRAST = """() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (shown) => {
        for (let each = shown; each; each = each.parentElement) {
            const colour = parse(getComputedStyle(each).backgroundColor);
            if (colour.length === 3 || colour[3] > 0.99) return colour;
        }
        return [255, 255, 255];
    };
    const faint = [];
    for (const shown of document.querySelectorAll("body *:not(svg, svg *, script, option, optgroup)")) {
        const own = [...shown.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!own || !shown.offsetParent) continue;
        const [one, other] = [light(parse(getComputedStyle(shown).color)), light(ground(shown))];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (ratio < 4.5) faint.push(`${shown.tagName} ${shown.className} ${shown.textContent} ${ratio.toFixed(2)}`);
    }
    return faint;
}"""
"""The texts whose contrast with what is behind them is less than WCAG's 4.5 to 1."""


def test_several_hubs_are_drawn_apart_and_by_their_names(chromium: Browser, tmp_path: Path) -> None:
    output.synth(topology.load(ROOT / "examples" / "multi-bus" / "backbone.yaml"), tmp_path)
    with Simulator.load(tmp_path) as simulator, Server(simulator, port=0) as server:
        page = chromium.new_page(viewport=SIZE)
        page.goto(server.page_url)
        page.wait_for_selector("#map .place")
        expect(page.locator("#map .place.bus", has_text="blue-global")).to_be_visible()
        places = [found for each in page.locator("#map .place").all() if (found := each.bounding_box())]
        places += [found for each in page.locator("#map .dead").all() if (found := each.bounding_box())]
        page.close()
    assert len(places) == 3 + 4 + 3 + 4  # hubs, rules, local buses; dead letters of the hub and of each service
    for one, other in combinations(places, 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        assert beside or one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
