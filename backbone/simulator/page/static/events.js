// The list of events, what it is narrowed to, and which event is chosen.

import { ask, byId, element, throttled } from "./kit.js";

const SHOWN = 200, PAUSE = 250;

export class EventList {
  constructor({ onChosen }) {
    this.onChosen = onChosen;
    this.chosen = null;
    this.paused = false;
    this.refresh = throttled(() => this.load(), PAUSE);
    const form = byId("filters");
    form.addEventListener("input", () => this.refresh());
    form.addEventListener("submit", (event) => event.preventDefault());
    byId("pause").addEventListener("click", () => {
      this.paused = !this.paused;
      byId("pause").setAttribute("aria-pressed", this.paused);
      byId("pause").textContent = this.paused ? "Go on" : "Pause";
      this.refresh();
    });
    byId("rows").addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row) this.choose(Number(row.dataset.number));
    });
  }

  choose(number) {
    this.chosen = number;
    for (const row of byId("rows").children) row.setAttribute("aria-selected", Number(row.dataset.number) === number);
    this.onChosen(number);
  }

  news() {
    if (!this.paused) this.refresh();
  }

  async load() {
    const asked = new URLSearchParams({ limit: SHOWN });
    for (const [name, value] of new FormData(byId("filters"))) if (value.trim()) asked.set(name, value);
    const error = byId("filter-error");
    try {
      const { events } = await ask(`events?${asked}`);
      error.hidden = true;
      this.draw(events, asked.size > 1);
    } catch (problem) {
      error.textContent = problem.message;
      error.hidden = false;
    }
  }

  draw(events, narrowed) {
    const rows = byId("rows"), known = new Map([...rows.children].map((row) => [row.dataset.key, row]));
    rows.replaceChildren(...events.map((event) => known.get(keyOf(event)) ?? this.row(event)));
    byId("empty").hidden = events.length > 0;
    byId("empty").textContent = narrowed
      ? "No event is like that." : "No events yet. Put an event or call the API, on the right.";
  }

  row(event) {
    return element("tr", { "data-number": event.number, "data-key": keyOf(event), "aria-selected": event.number === this.chosen },
      element("td", { title: `${event.at} s on the simulated clock` }, event.time),
      element("td", {}, element("button", { class: "link", type: "button" },
        event.kind === "put" ? null : element("span", { class: "kind" }, event.kind, " "),
        event.detail_type || event.words || event.place)),
      element("td", { title: event.caller }, event.source || event.caller),
      element("td", { title: `${event.account}: ${event.place}` }, event.place),
      element("td", {}, badges(event.outcomes)));
  }
}

export function badges(outcomes) {
  return Object.entries(outcomes).map(([kind, count]) => element(
    "span", { class: `badge ${kind === "delivered" ? "delivered" : "bad"}` }, count > 1 ? `${kind} ${count}` : kind));
}

function keyOf(event) {
  return `${event.number} ${JSON.stringify(event.outcomes)}`;
}
