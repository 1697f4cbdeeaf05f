// Where everything is on the map: the hub as a spine on the left, and a card for each service. In a card, what comes
// from the hub runs to the right in the upper half, and what goes to it runs to the left in the lower half.

export const BOX = { width: 136, height: 35 };
const GAP = { x: 26, y: 9 }, PAD = { x: 16, top: 38, bottom: 12 }, CARDS = 14, SPINE = 92, FOOT = 30, NARROWEST = 420;

export function laidOut(system) {
  const drawn = new Set(), edges = [];
  system.edges.forEach(([from, to], number) => {
    const ends = [system.places[from], system.places[to]];
    if (ends.some((place) => place.logs || place.failures)) return;
    edges.push({ number, from, to });
    drawn.add(from).add(to);
  });
  const cards = grouped(system, drawn), hubs = cards.filter((card) => card.service === "");
  const hubPlaces = new Set(hubs.flatMap((card) => card.places));
  const boxes = new Map();
  const placed = cards.filter((card) => card.service !== "").map((card) => inside(card, edges, hubPlaces, system.places));
  const rules = hubs.flatMap((card) => card.places.filter((place) => system.places[place].kind !== "bus"));
  const left = PAD.x + SPINE + (rules.length ? GAP.x + BOX.width : 0) + PAD.x + (hubs.length ? 40 : 0);
  let y = 0;
  const drawnCards = [];
  const widest = Math.max(NARROWEST, ...placed.map((card) => card.width));
  for (const card of placed) {
    card.width = widest;
    for (const [place, spot] of card.spots) boxes.set(place, { x: left + spot.x, y: y + spot.y, ...BOX });
    drawnCards.push({ ...card, x: left, y });
    y += card.height + CARDS;
  }
  const rulesEnd = placeRules(rules, edges, boxes);
  const height = Math.max(y - CARDS, rulesEnd + PAD.bottom + FOOT, 160);
  if (hubs.length) {
    placeBuses(system, hubs, boxes, height);
    const width = left - 40;
    const accounts = hubs.map((card) => card.account).join(", ");
    drawnCards.unshift({ service: "", account: accounts, places: hubs.flatMap((card) => card.places), x: 0, y: 0, width, height });
  }
  const width = Math.max(left, ...drawnCards.map((card) => card.x + card.width));
  for (const edge of edges) edge.path = path(boxes.get(edge.from), boxes.get(edge.to));
  return { width, height, cards: drawnCards, boxes, edges };
}

function grouped(system, drawn) {
  const cards = new Map();
  system.places.forEach((place, number) => {
    if (!drawn.has(number) && !place.failures) return;
    const { account, service } = home(system, place, number);
    const key = service === "" ? `hub ${account}` : service;
    if (!cards.has(key)) cards.set(key, { service, account, places: [], failures: [] });
    cards.get(key)[place.failures ? "failures" : "places"].push(number);
  });
  return [...cards.values()].filter((card) => card.places.length);
}

/** Whose card a place is in: a rule is where its bus is. */
function home(system, place, number) {
  const edge = place.kind === "rule" && system.edges.find(([, to]) => to === number);
  return edge ? system.places[edge[0]] : place;
}

/** The spots in a card, from its upper left corner. */
function inside(card, edges, hub, places) {
  const own = new Set(card.places);
  const within = edges.filter((edge) => own.has(edge.from) && own.has(edge.to));
  const entries = card.places.filter((place) => edges.some((edge) => edge.to === place && hub.has(edge.from)));
  const exits = card.places.filter((place) => edges.some((edge) => edge.from === place && hub.has(edge.to)));
  const stops = (place) => places[place].kind === "table";
  const inward = distances(entries, (place) => within
    .filter((edge) => edge.from === place && !stops(edge.to)).map((edge) => edge.to));
  const outward = distances(exits, (place) => within.filter((edge) => edge.to === place).map((edge) => edge.from));
  const upper = [], lower = [];
  for (const place of card.places) {
    const half = inward.has(place) ? upper : lower;
    (half[inward.get(place) ?? outward.get(place) ?? 0] ??= []).push(place);
  }
  const spots = new Map();
  let y = PAD.top;
  for (const half of [upper, lower]) {
    const rows = Math.max(0, ...half.map((column) => column?.length ?? 0));
    half.forEach((column, x) => column?.forEach((place, row) => {
      spots.set(place, { x: PAD.x + x * (BOX.width + GAP.x), y: y + row * (BOX.height + GAP.y) });
    }));
    if (rows) y += rows * (BOX.height + GAP.y) + (half === upper && lower.length ? 10 : 0);
  }
  const columns = Math.max(upper.length, lower.length, 1);
  const foot = card.failures.length ? FOOT : 0;
  return {
    ...card, spots, width: 2 * PAD.x + columns * BOX.width + (columns - 1) * GAP.x, height: y - GAP.y + PAD.bottom + foot,
  };
}

function distances(starts, next) {
  const found = new Map(starts.map((place) => [place, 0]));
  const queue = [...starts];
  while (queue.length) {
    const place = queue.shift();
    for (const follower of next(place)) {
      if (!found.has(follower)) {
        found.set(follower, found.get(place) + 1);
        queue.push(follower);
      }
    }
  }
  return found;
}

/** The hub's rules, each at the height of where it sends or below the one before; says where the last ends. */
function placeRules(rules, edges, boxes) {
  const wanted = rules.map((place) => {
    const to = edges.find((edge) => edge.from === place && boxes.has(edge.to));
    return { place, y: to ? boxes.get(to.to).y : 0 };
  }).sort((one, other) => one.y - other.y);
  let free = PAD.top;
  for (const { place, y } of wanted) {
    const at = Math.max(free, y);
    boxes.set(place, { x: PAD.x + SPINE + GAP.x, y: at, ...BOX });
    free = at + BOX.height + GAP.y;
  }
  return free - GAP.y;
}

/** The hub's buses as spines, one below the other. */
function placeBuses(system, hubs, boxes, height) {
  const buses = hubs.flatMap((card) => card.places.filter((place) => system.places[place].kind === "bus"));
  const each = (height - PAD.top - PAD.bottom - FOOT - (buses.length - 1) * GAP.y) / Math.max(1, buses.length);
  buses.forEach((place, index) => boxes.set(place, {
    x: PAD.x, y: PAD.top + index * (each + GAP.y), width: SPINE, height: each, spine: true,
  }));
}

function path(from, to) {
  const middle = (box) => box.y + box.height / 2;
  if (to.spine || from.spine) {
    const [spine, other] = to.spine ? [to, from] : [from, to];
    const y = Math.min(Math.max(middle(other), spine.y + 8), spine.y + spine.height - 8);
    const spot = { x: spine.x, y: y - 1, width: spine.width, height: 2 };
    return to.spine ? curve(from, spot) : curve(spot, to);
  }
  return curve(from, to);
}

function curve(from, to) {
  const y1 = from.y + from.height / 2, y2 = to.y + to.height / 2;
  const right = [from.x + from.width, to.x], left = [from.x, to.x + to.width];
  if (right[1] - right[0] >= 10) {
    const bend = Math.min(60, (right[1] - right[0]) / 2);
    return `M${right[0]} ${y1}C${right[0] + bend} ${y1} ${right[1] - bend} ${y2} ${right[1]} ${y2}`;
  }
  if (left[0] - left[1] >= 10) {
    const bend = Math.min(60, (left[0] - left[1]) / 2);
    return `M${left[0]} ${y1}C${left[0] - bend} ${y1} ${left[1] + bend} ${y2} ${left[1]} ${y2}`;
  }
  const x1 = from.x + from.width / 2, x2 = to.x + to.width / 2;
  const [begin, end] = y2 > y1 ? [from.y + from.height, to.y] : [from.y, to.y + to.height];
  const bend = (end - begin) / 2;
  return `M${x1} ${begin}C${x1} ${begin + bend} ${x2} ${end - bend} ${x2} ${end}`;
}
