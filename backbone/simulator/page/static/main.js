// The page: news from the server are drawn once a frame at most, whatever comes in between.

import { ask, attempt, byId, element } from "./kit.js";
import { Controls } from "./controls.js";
import { showDetail } from "./detail.js";
import { EventList } from "./events.js";
import { LiveMap } from "./map.js";

const NUMBERS = [["put", "events"], ["delivered", "deliveries"], ["invoked", "invocations"], ["retry", "retries"],
  ["denied", "denied"], ["dead-lettered", "dead letters"], ["lost", "lost"]];
const BAD = new Set(["denied", "dead-lettered", "lost"]);

const controls = new Controls();
const map = new LiveMap(document.querySelector("#map svg"), { onQueues: () => choose("queues") });
const list = new EventList({ onChosen: (number) => {
  choose("event");
  showDetail(number, { onPut: (event) => {
    choose("do");
    controls.like(event);
  } });
} });
const numbers = new Map(NUMBERS.map(([kind, words]) => {
  const count = element("dd", {}, "0");
  const shown = element("div", {}, element("dt", {}, words), count);
  byId("numbers").append(shown);
  return [kind, { shown, count }];
}));

let pending = null, version = null, total = -1, waiting = "";

function choose(name, focus = false) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !chosen;
    if (chosen && focus) tab.focus();
  }
  if (name === "queues") controls.refreshQueues();
  if (name === "faults") attempt(() => controls.loadFaults());
}

byId("tabs").addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (tab) choose(tab.id.slice(4));
});
byId("tabs").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = [...event.currentTarget.children], at = tabs.indexOf(document.activeElement);
  choose(tabs[(at + step + tabs.length) % tabs.length].id.slice(4), true);
});

function told(state, words) {
  byId("state").className = `state ${state}`;
  byId("state").lastElementChild.textContent = words;
}

/** Adds news to what is not drawn yet. */
function take(news) {
  if (pending === null) {
    pending = { ...news, edges: new Map(news.edges), places: new Map(news.places) };
    requestAnimationFrame(draw);
    return;
  }
  const { edges, places } = pending;
  for (const [number, count] of news.edges) edges.set(number, (edges.get(number) ?? 0) + count);
  for (const [number, count] of news.places) places.set(number, (places.get(number) ?? 0) + count);
  pending = { ...news, edges, places };
}

function draw() {
  const news = pending;
  pending = null;
  byId("clock").textContent = news.time.replace("T", " ").replace("Z", "");
  byId("problem").hidden = !news.problem;
  if (byId("problem").textContent !== news.problem) byId("problem").textContent = news.problem;
  for (const [kind, { shown, count }] of numbers) {
    const value = news.counts[kind] ?? 0;
    count.textContent = value.toLocaleString("en");
    shown.classList.toggle("bad", BAD.has(kind) && value > 0);
  }
  if (news.version !== version) {
    version = news.version;
    attempt(loadSystem);
  }
  map.show({ edges: [...news.edges], places: [...news.places], queues: news.queues });
  const sum = Object.values(news.counts).reduce((one, other) => one + other, 0);
  if (sum !== total) list.news();
  total = sum;
  const queues = JSON.stringify(news.queues);
  if (queues !== waiting) controls.refreshQueues();
  waiting = queues;
}

async function loadSystem() {
  const system = await ask("system");
  controls.draw(system);
  map.draw(system);
  list.refresh();
}

const stream = new EventSource("api/stream");
stream.addEventListener("open", () => told("live", "live"));
stream.addEventListener("error", () => told("gone", "not connected"));
stream.addEventListener("message", (event) => take(JSON.parse(event.data)));
list.refresh();
