// What the parts of the page share: elements, the API, and short messages.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; `onclick` and the like are listeners, text is never read as HTML. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Puts children in the place of those that an element has; what is null or false is none. */
export function fill(shown, ...children) {
  shown.replaceChildren(...children.flat().filter((child) => child !== null && child !== false));
}

export const byId = (id) => document.getElementById(id);

/** What the API answers; an Error with its words where it refuses. */
export async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  };
  const answer = await fetch(`api/${path}`, options);
  const found = await answer.json().catch(() => ({ error: `${answer.status} ${answer.statusText}` }));
  if (!answer.ok) throw new Error(found.error ?? found.message ?? `${answer.status}`);
  return found;
}

export function say(words, bad = false) {
  const toast = element("p", { class: bad ? "bad" : "" }, words);
  byId("toasts").append(toast);
  setTimeout(() => toast.remove(), bad ? 8000 : 3500);
}

/** Does something that a person asked for, and says what went wrong. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    say(error.message, true);
    return undefined;
  }
}

export function pretty(value) {
  if (typeof value === "string") {
    try {
      return JSON.stringify(JSON.parse(value), null, 2);
    } catch {
      return value;
    }
  }
  return JSON.stringify(value, null, 2);
}

/** At most one run of an action at a time and in so many milliseconds, and another after the last call. */
export function throttled(action, milliseconds) {
  let waiting = null, running = false, again = false;
  const run = async () => {
    waiting = null;
    running = true;
    again = false;
    try {
      await action();
    } finally {
      running = false;
      if (again) call();
    }
  };
  const call = () => {
    if (running) again = true;
    else if (waiting === null) waiting = setTimeout(run, milliseconds);
  };
  return call;
}
