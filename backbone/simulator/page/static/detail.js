// An event: its payload, every decision about it, its tree, and what can be done with it.

import { ask, attempt, byId, element, fill, pretty, say } from "./kit.js";
import { badges } from "./events.js";

const BAD = new Set(["denied", "refused", "failed", "dead-letter", "lost", "http-error"]);

export async function showDetail(number, { onPut }) {
  const panel = byId("event");
  const found = await attempt(() => ask(`events/${number}`));
  if (!found) return;
  const { event, payload, tree, rules } = found;
  const title = event.detail_type || event.words || event.place;
  fill(panel,
    element("p", { class: "title" }, title),
    element("p", { class: "about" }, about(event)),
    element("p", {}, badges(event.outcomes)),
    element("div", { class: "actions" }, actions(found, onPut, () => showDetail(number, { onPut }))),
    element("h3", {}, "Decisions"),
    element("ul", { class: "plain decisions" }, decisions(tree, event, rules)),
    element("h3", {}, "Tree"),
    element("div", { class: "tree" }, element("ul", {}, branch(tree, event.number))),
    tree.left_out ? element("p", { class: "why" }, "The rest of this tree is left out.") : null,
    element("h3", {}, event.kind === "http" ? "Body" : "Payload"),
    element("pre", { tabindex: 0 }, payload === null ? "–" : pretty(payload)),
  );
}

function about(event) {
  const parts = [event.time, event.source && `from ${event.source}`, event.caller && `by ${event.caller}`,
    `at ${event.account}: ${event.place}`, event.id && `id ${event.id}`];
  return parts.filter(Boolean).join(" · ");
}

function actions({ event, payload, tree }, onPut, again) {
  const queues = [...new Set(nodes(tree).filter((node) => node.outcome === "dead-letter").map((node) => node.place))];
  const found = queues.map((queue) => element("button", {
    type: "button", onclick: () => attempt(async () => {
      const { redriven } = await ask("redrive", { queue });
      say(`${redriven} message${redriven === 1 ? "" : "s"} of ${queue} sent again`);
      again();
    }),
  }, `Redrive ${queue}`));
  if (event.kind === "put" && nodes(tree).some((node) => node.kind === "archived")) {
    found.push(element("button", { type: "button", onclick: () => attempt(async () => {
      const { replayed } = await ask("replay", { begin: event.at - 0.001, end: event.at + 0.001 });
      say(`${replayed} event${replayed === 1 ? "" : "s"} of that moment replayed`);
    }) }, "Replay"));
  }
  if (event.kind === "put" && payload) {
    found.push(element("button", { type: "button", onclick: () => onPut(payload) }, "Put one like it"));
  }
  found.push(element("button", { type: "button", onclick: again }, "Refresh"));
  return found;
}

function nodes(tree) {
  return [tree, ...tree.children.flatMap(nodes)];
}

/** Who let it in, what was denied, refused or lost below it, and which rules matched or did not. */
function decisions(tree, event, rules) {
  const own = nodes(tree).find((node) => node.number === event.number) ?? tree;
  const found = [];
  if (own.data.allowed_by) found.push(decision("allowed", "matched", `by ${own.data.allowed_by}`));
  for (const node of nodes(own).filter((each) => BAD.has(each.outcome) && each.kind !== "returned")) {
    found.push(decision(`${node.kind}`, "bad", `${node.account}: ${node.place} ${node.words}`));
  }
  for (const rule of rules) {
    found.push(element("li", {},
      element("span", { class: `badge ${rule.matched ? "matched" : ""}` }, rule.matched ? "matched by rule" : "not matched by rule"), " ",
      element("b", {}, rule.name), element("p", { class: "why" }, rule.why)));
  }
  return found.length ? found : [element("li", { class: "why" }, "None that is not in the tree.")];
}

function decision(word, kind, why) {
  return element("li", {}, element("span", { class: `badge ${kind}` }, word), " ", element("span", { class: "why" }, why));
}

function branch(node, chosen) {
  const bad = BAD.has(node.outcome), good = node.kind === "delivered";
  const more = [];
  if (node.data.attempts) more.push(`${node.data.attempts} retries`);
  if (node.data.code) more.push(node.data.code);
  const line = element("span", { class: "line" },
    element("span", { class: "kind" }, node.kind), " ", element("span", { class: "account" }, `${node.account}: `),
    node.number === chosen ? element("b", {}, node.place) : node.place,
    node.words ? ` ${node.words}` : "", more.length ? element("span", { class: "why" }, ` (${more.join(", ")})`) : null);
  const unfolded = [
    node.payload !== null && node.payload !== "" ? folded("payload", pretty(node.payload)) : null,
    node.data.printed ? folded("log", node.data.printed) : null,
  ];
  return element("li", { class: bad ? "bad" : good ? "good" : "" }, line, unfolded,
    node.children.length ? element("ul", {}, node.children.map((child) => branch(child, chosen))) : null);
}

function folded(word, text) {
  return element("details", {}, element("summary", {}, word), element("pre", { tabindex: 0 }, text));
}
