// The map: places, edges, and events that run along the edges.

import { svg } from "./kit.js";
import { laidOut } from "./layout.js";

const MOST_DOTS = 90, RUN = 620, STEP = 110, HOT = 450;
const still = window.matchMedia("(prefers-reduced-motion: reduce)");

export class LiveMap {
  constructor(canvas, { onQueues }) {
    this.canvas = canvas;
    this.onQueues = onQueues;
    this.dots = [];
    this.frame = null;
  }

  draw(system) {
    this.system = system;
    const { width, height, cards, boxes, edges } = laidOut(system);
    this.canvas.replaceChildren();
    this.canvas.setAttribute("viewBox", `-4 -4 ${width + 8} ${height + 8}`);
    this.canvas.setAttribute("width", width + 8);
    this.canvas.setAttribute("height", height + 8);
    this.edges = new Map();
    this.places = new Map();
    this.failures = [];
    const layers = cards.map((card) => this.card(card));
    for (const edge of edges) {
      const line = svg("path", { d: edge.path, class: "edge" });
      this.edges.set(edge.number, { line, length: null });
      layers.push(line);
    }
    for (const [number, box] of boxes) layers.push(this.place(system.places[number], number, box));
    this.moving = svg("g", { "aria-hidden": "true" });
    this.canvas.append(...layers, this.moving);
    this.dots = [];
  }

  card({ service, account, x, y, width, height, failures = [] }) {
    const all = service === "" ? this.hubFailures() : failures;
    const label = svg("text", { x: x + 28, y: y + height - 15 }, "no dead letters");
    const dead = svg("g", { class: "dead", onclick: this.onQueues },
      svg("rect", { x: x + 16, y: y + height - 30, width: 150, height: 22, rx: 6 }), label);
    this.failures.push({ dead, label, places: new Set(all) });
    return svg("g", { class: "card" },
      svg("rect", { x, y, width, height, rx: 12 }),
      svg("text", { x: x + 16, y: y + 24, class: "name" }, shortened(service || "hub", 36),
        svg("tspan", { class: "account", dx: 8 }, `account ${account}`)),
      all.length ? dead : null);
  }

  hubFailures() {
    return this.system.places.flatMap((place, number) => (place.failures && place.service === "" ? [number] : []));
  }

  place(place, number, box) {
    const waiting = svg("text", { x: box.width - 8, y: 15, "text-anchor": "end", class: "waiting" });
    const text = shortened(place.label, box.spine ? 11 : 17);
    const group = svg("g", { class: `place ${place.kind}${box.spine ? " spine" : ""}`, transform: `translate(${box.x} ${box.y})` },
      svg("title", {}, `${place.kind} ${place.name}\naccount ${place.account}\n${place.words}`),
      svg("rect", { width: box.width, height: box.height, rx: 8 }),
      svg("rect", { class: "mark", width: 4, height: box.height - 12, x: 6, y: 6, rx: 2 }),
      svg("text", { class: "kind", x: 17, y: 13 }, place.kind),
      svg("text", { x: 17, y: 27 }, text), waiting);
    this.places.set(number, { group, waiting });
    return group;
  }

  /** Shows where events ran, in the order in which they did, and how many messages wait in queues. */
  show({ edges, places, queues }) {
    if (!this.edges) return;
    const now = performance.now();
    edges.forEach(([number, count], index) => {
      const edge = this.edges.get(number);
      if (edge) this.start(edge, count, now + Math.min(index, 12) * STEP);
    });
    for (const [number] of places) this.heat(this.places.get(number)?.group, now);
    for (const [number, { waiting }] of this.places) setText(waiting, queues[number] ? String(queues[number]) : "");
    for (const { dead, label, places: own } of this.failures) {
      const count = [...own].reduce((sum, number) => sum + (queues[number] ?? 0), 0);
      dead.classList.toggle("some", count > 0);
      setText(label, count ? `${count} dead letter${count > 1 ? "s" : ""}: redrive` : "no dead letters");
    }
  }

  heat(shown, until) {
    if (!shown) return;
    shown.classList.add("hot");
    shown.cold = until + HOT;
    this.hot ??= new Set();
    this.hot.add(shown);
    this.go();
  }

  start(edge, count, at) {
    this.heat(edge.line, at);
    if (still.matches || this.dots.length >= MOST_DOTS || document.hidden) return;
    const dot = svg("circle", { class: "dot", r: Math.min(4 + Math.log2(count), 9), visibility: "hidden" });
    this.moving.append(dot);
    this.dots.push({ dot, edge, at });
    this.go();
  }

  go() {
    this.frame ??= requestAnimationFrame((now) => this.move(now));
  }

  move(now) {
    this.frame = null;
    this.dots = this.dots.filter(({ dot, edge, at }) => {
      const part = (now - at) / RUN;
      if (part >= 1) {
        dot.remove();
        return false;
      }
      if (part >= 0) {
        edge.length ??= edge.line.getTotalLength();
        const spot = edge.line.getPointAtLength(edge.length * (part < 0.5 ? 2 * part * part : 1 - 2 * (1 - part) ** 2));
        dot.setAttribute("transform", `translate(${spot.x} ${spot.y})`);
        dot.setAttribute("visibility", "visible");
      }
      return true;
    });
    for (const shown of this.hot ?? []) {
      if (now >= shown.cold) {
        shown.classList.remove("hot");
        this.hot.delete(shown);
      }
    }
    if (this.dots.length || this.hot?.size) this.go();
  }
}

function shortened(text, room) {
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}

function setText(shown, text) {
  if (shown.textContent !== text) shown.textContent = text;
}

