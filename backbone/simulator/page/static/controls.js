// What can be done: call an API, put an event, redrive and replay, switch faults, advance the clock.

import { ask, attempt, byId, element, fill, pretty, say, throttled } from "./kit.js";

const ORDER = { customer: "c-1", items: [{ sku: "tea", quantity: 2, price: 4.95 }] };

export class Controls {
  constructor() {
    this.off = new Set();
    this.refreshQueues = throttled(() => this.loadQueues(), 300);
    onSubmit("call", (form) => this.call(form));
    onSubmit("put", (form) => this.put(form));
    onSubmit("fault", (form) => this.addFault(form));
    for (const button of document.querySelectorAll("[data-advance]")) {
      button.addEventListener("click", () => attempt(async () => {
        await ask("clock", { seconds: Number(button.dataset.advance) });
        say(`The clock is ${button.textContent.slice(1)} later`);
      }));
    }
  }

  draw(system) {
    this.system = system;
    const { call, put, fault } = document.forms;
    const routes = system.apis.flatMap((api) => api.routes);
    byId("routes").replaceChildren(...routes.map((route) => element("option", { value: route.split(" ").pop() })));
    byId("services").replaceChildren(...system.services.map((name) => element("option", { value: name })));
    byId("targets").replaceChildren(...system.places.filter((place) => !place.logs)
      .map((place) => element("option", { value: place.name }, `${place.kind}, ${place.account}`)));
    options(call.elements.caller, system.callers, system.apis[0]?.account, "nobody (unsigned)");
    options(call.elements.api, system.apis.map((api) => api.name));
    call.elements.api.parentElement.hidden = system.apis.length < 2;
    call.hidden = system.apis.length === 0;
    options(put.elements.caller, system.callers);
    put.elements.bus.replaceChildren(...system.buses.map((bus) => element("option", { value: bus.arn }, `${bus.name} (${bus.account})`)));
    const hub = system.places.findIndex((place) => place.kind === "bus" && place.service === "" && place.name !== "default");
    if (hub >= 0) put.elements.bus.value = system.buses.find((bus) => bus.name === system.places[hub].name)?.arn;
    fault.elements.kind.replaceChildren(
      element("optgroup", { label: "deliveries" }, system.faults.deliveries.map((kind) => element("option", {}, kind))),
      element("optgroup", { label: "calls of functions" }, system.faults.calls.map((kind) => element("option", {}, kind))));
    const service = byId("filters").elements.service, kept = service.value;
    options(service, system.services, kept, "any");
    const post = routes.find((route) => route.startsWith("POST "));
    if (post && !call.elements.path.value) {
      call.elements.path.value = post.split(" ")[1];
      call.elements.body.value = JSON.stringify(post === "POST /orders" ? ORDER : {}, null, 2);
    }
    attempt(() => this.loadFaults());
    this.refreshQueues();
  }

  async call(form) {
    const { method, path, caller, api, body } = form.elements;
    const answer = await ask("calls", {
      method: method.value, path: path.value, caller: caller.value, api: this.system.apis.length > 1 ? api.value : "",
      body: ["GET", "DELETE"].includes(method.value) || !body.value ? null : body.value,
      headers: body.value ? { "content-type": "application/json" } : {},
    });
    return [`${answer.status}\n${pretty(answer.body)}`, answer.status >= 400];
  }

  async put(form) {
    const { source, detail_type, bus, caller, detail } = form.elements;
    const answer = await ask("events", {
      source: source.value, detail_type: detail_type.value, bus: bus.value, caller: caller.value, detail: JSON.parse(detail.value),
    });
    return answer.ErrorCode ? [`${answer.ErrorCode}: ${answer.ErrorMessage}`, true] : [`accepted: ${answer.EventId}`, false];
  }

  /** Fills the form for an event like another. */
  like(event) {
    const { source, detail_type, detail, caller } = document.forms.put.elements;
    source.value = event.source;
    detail_type.value = event["detail-type"];
    detail.value = JSON.stringify(event.detail, null, 2);
    const account = this.system.accounts.find((each) => each.id === event.account);
    if (account) caller.value = account.name;
    source.focus();
  }

  // Queues and archives

  async loadQueues() {
    if (!this.system) return;
    const queues = await ask("queues");
    const failures = queues.filter((queue) => queue.failures), others = queues.filter((queue) => !queue.failures);
    const dead = failures.reduce((sum, queue) => sum + queue.count, 0);
    byId("dead").textContent = dead;
    byId("dead").hidden = dead === 0;
    const full = failures.filter((queue) => queue.count), empty = failures.length - full.length;
    fill(byId("queues"),
      element("h2", {}, "Dead letters"),
      element("ul", { class: "plain" }, full.map((queue) => this.queue(queue))),
      element("p", { class: "why" }, `${empty} ${full.length ? "other " : ""}queues for what failed are empty.`),
      others.length ? element("h3", {}, "Waiting for functions") : null,
      element("ul", { class: "plain" }, others.map((queue) => this.queue(queue))),
      this.system.archives.length ? element("h3", {}, "Archives") : null,
      element("ul", { class: "plain" }, this.system.archives.map((archive) => element("li", { class: "row" },
        element("span", { class: "grow" }, archive),
        element("button", { type: "button", onclick: () => attempt(async () => {
          const { replayed } = await ask("replay", { archive });
          say(`${replayed} events of ${archive} replayed`);
        }) }, "Replay all")))));
  }

  queue({ name, account, count, messages, failures }) {
    return element("li", {},
      element("div", { class: "row" },
        element("span", { class: "grow" }, element("b", {}, name), element("span", { class: "about" }, ` ${account}`)),
        element("span", { class: `badge ${count && failures ? "bad" : ""}` }, count),
        failures && count ? element("button", { type: "button", class: "main", onclick: () => attempt(async () => {
          const { redriven } = await ask("redrive", { queue: name });
          say(`${redriven} message${redriven === 1 ? "" : "s"} sent again`);
          this.refreshQueues();
        }) }, "Redrive") : null),
      messages.map((message) => element("details", {},
        element("summary", { class: "why" }, message.attributes.ERROR_CODE
          ? `${message.attributes.ERROR_CODE}: ${message.attributes.ERROR_MESSAGE ?? ""}` : message.id),
        element("pre", { tabindex: 0 }, pretty(message.body)))));
  }

  // Faults

  async addFault(form) {
    const { kind, target, times } = form.elements;
    await this.switchFault(`${kind.value}:${target.value}${times.value ? `%${times.value}` : ""}`, true);
    return ["", false];
  }

  async switchFault(fault, on) {
    const faults = await ask("faults", { fault, on });
    const text = fault.replace(/%\d+$/, "");
    if (on) this.off.delete(text);
    else this.off.add(text);
    this.showFaults(faults);
  }

  async loadFaults() {
    this.showFaults(await ask("faults"));
  }

  showFaults(faults) {
    byId("active").textContent = faults.length;
    byId("active").hidden = faults.length === 0;
    const all = [...faults.map((each) => ({ ...each, on: true })), ...[...this.off].map((fault) => ({ fault, on: false, struck: 0 }))];
    byId("fault-list").replaceChildren(...all.map(({ fault, struck, on }) => element("li", {},
      element("label", { class: "switch" },
        element("input", { type: "checkbox", role: "switch", checked: on,
          onchange: (event) => attempt(() => this.switchFault(fault, event.target.checked)) }),
        element("span", { class: "grow" }, fault),
        on ? element("span", { class: "badge" }, `struck ${struck}`) : element("span", { class: "badge" }, "off")))));
  }
}

function onSubmit(name, action) {
  const form = document.forms[name], output = form.querySelector("output");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let words, bad = true;
    try {
      [words, bad] = await action(form);
    } catch (error) {
      words = error.message;
    }
    output.textContent = words;
    output.classList.toggle("bad", bad);
  });
}

function options(select, names, chosen, none) {
  select.replaceChildren(
    none ? element("option", { value: "" }, none) : "", ...names.map((name) => element("option", { value: name }, name)));
  if (chosen) select.value = chosen;
}
