// The live wall: figures, a card for each call that is going on, and the latest sentences.
import { alertList } from "./alert_list.js";
import { button, el, percent, setText, tile, timeOfDay } from "./dom.js";
import { labelOf, lateMark, signed, signOf } from "./mood.js";
import { paintClock } from "./paint_clock.js";
import { Partials } from "./partials.js";
import { keepOpen } from "./socket.js";
import { cardView, nameOf } from "./wall_card.js";
import { WallState } from "./wall_state.js";

const SORT_EVERY_MS = 4000;
const FIGURES_EVERY_MS = 500;
const FEED_ROWS = 24;
const CARDS_SHOWN = 24;
const MOST_SLIDING = 8;
const STORED_CHOICE = "overtone.wall";
const ALERTS_SHOWN = 3;
const FILTERS = [
  ["team", "Team", "All teams"],
  ["queue", "Queue", "All queues"],
  ["agent", "Agent", "All agents"],
];
const STAGE_NAMES = {
  recognise: "recognised",
  label: "rated",
  store: "stored",
  send: "sent",
  paint: "painted",
  total: "in all",
};

export function mount(component) {
  let latest = component;
  const state = new WallState();
  const partials = new Partials();
  const choice = { order: "worst", agent: "", team: "", queue: "", all: false, ...JSON.parse(sessionStorage.getItem(STORED_CHOICE) ?? "{}") };
  const cards = new Map(); // call id -> card view
  const dirty = new Set();
  let fresh = []; // sentences that came since the last painting
  const waited = new Set(); // those of them that were held back
  let sortedAt = 0;
  let planned = false;
  let figuresDue = 0; // a timer
  let figuresAt = 0;

  const root = component.parentElement.querySelector(".ov-wall");
  root.tabIndex = -1;
  const banner = el("div", "ov-banner");
  banner.setAttribute("role", "status");
  banner.hidden = true;
  const kpis = {
    live: tile("Calls live"),
    pace: tile("Sentences a minute"),
    negative: tile("Negative sentences"),
    latency: tile("Spoken to screen, p95"),
    worst: tile("Needs attention first"),
  };
  const strip = el("div", "ov-tiles");
  strip.append(...Object.values(kpis).map((kpi) => kpi.root));
  kpis.worst.root.classList.add("wide");

  const toolbar = el("div", "ov-toolbar");
  const shown = el("span", "ov-muted");
  const orders = el("div", "ov-segments");
  orders.setAttribute("role", "group");
  orders.setAttribute("aria-label", "Order of the cards");
  const orderButtons = [
    ["worst", "Worst first"],
    ["newest", "Newest"],
  ].map(([order, text]) => {
    const node = button("ov-segment", text, text, () => choose({ order }));
    node.dataset.order = order;
    return node;
  });
  orders.append(...orderButtons);
  const filters = FILTERS.map(([field, name, everything]) => {
    const select = el("select", "ov-select");
    select.setAttribute("aria-label", name);
    select.addEventListener("change", () => choose({ [field]: select.value }));
    return { field, everything, select };
  });
  toolbar.append(el("h3", "ov-heading", "Live calls"), shown, el("span", "ov-grow"), orders);
  toolbar.append(...filters.map(({ select }) => select));
  const alarms = alertList({
    few: ALERTS_SHOWN,
    onJudge: judge,
    onOpen: (alert) => open(alert.call_id),
  });

  const grid = el("div", "ov-cards");
  const more = button("ov-button", "", "Show all live calls", () => choose({ all: !choice.all }));
  const empty = emptyState(component.data);
  const feed = el("ol", "ov-feed-rows");
  feed.setAttribute("aria-label", "Latest sentences, newest first");
  const aside = el("aside", "ov-feed");
  const feedTitle = el("h3", "ov-heading", "Latest sentences");
  aside.append(feedTitle, feed);
  // Nothing moves under a pointer that is about to click.
  feed.addEventListener("pointerleave", plan);
  const calls = el("div", "ov-calls");
  calls.append(toolbar, grid, more, empty);
  const body = el("div", "ov-wall-body");
  body.append(calls, aside);
  root.replaceChildren(banner, strip, alarms.root, body);

  const socket = keepOpen({
    path: component.data.path,
    ticket: () => latest.data.ticket,
    onMessage: receive,
    onState: connection,
    onTicketRefused: () => latest.setTriggerValue("ticket_wanted", Date.now()),
  });
  const paints = paintClock((text) => socket.send(text));
  const ticking = setInterval(tick, 1000);
  showChoice();

  function receive(message) {
    if ("problem" in message) problem(message.problem);
    if (message.kind === "pong") paints.pong(message);
    else if (message.kind === "refused") problem(message.message);
    else if (message.kind === "latency") latency(message);
    else if (message.kind === "late") {
      state.late(message.rows);
      for (const [call, index, seconds] of message.rows) {
        const key = `${call}:${index}`;
        const row = [...feed.children].find((node) => node.dataset.key === key);
        if (row && !row.querySelector(".ov-late")) row.querySelector(".ov-feed-time").before(lateMark(seconds));
      }
    }
    else if (message.kind === "partials") {
      for (const id of partials.hear(message.rows)) dirty.add(id);
      plan();
    } else if (message.kind === "snapshot") {
      paints.opened();
      state.load(message);
      fresh = [];
      latency(message.latency);
      showAlerts();
      feed.replaceChildren(...state.feed.filter(inChoice).map(feedRow));
      sort(true);
      tick();
    } else if (message.kind === "events") {
      for (const change of state.apply(message)) {
        dirty.add(change.id);
        if (change.entry) partials.final(change.entry);
        if (change.entry && inChoice(change.entry)) fresh.push(change.entry);
      }
      for (const { removed } of message.events) if (removed) dropRows(removed);
      if (message.events.some((event) => event.alert || event.removed)) showAlerts();
      plan();
    }
  }

  // One painting per frame, however many messages came; a hidden tab has no frames.
  function plan() {
    if (planned) return;
    planned = true;
    if (document.hidden) setTimeout(paint, 200);
    else requestAnimationFrame(paint);
  }

  function paint() {
    planned = false;
    const held = fresh.length > 0 && feed.matches(":hover");
    setText(feedTitle, held ? "Latest sentences (paused)" : "Latest sentences");
    if (held) {
      fresh = fresh.slice(-FEED_ROWS);
      for (const entry of fresh) waited.add(entry);
    }
    else if (fresh.length) {
      // Newest first; what falls out at the bottom goes.
      for (const entry of fresh) feed.prepend(feedRow(entry));
      // What waited under the pointer says nothing of our speed.
      paints.painted(fresh.filter((entry) => !waited.has(entry)));
      waited.clear();
      fresh = [];
      while (feed.childElementCount > FEED_ROWS) feed.lastElementChild.remove();
    }
    let unknown = false;
    for (const id of dirty) {
      const view = cards.get(id);
      if (view) view.show(state.cards.get(id), state.now(), partials.newest(id));
      else unknown ||= state.cards.has(id);
    }
    dirty.clear();
    if (unknown && cards.size < CARDS_SHOWN) sort(true);
    figuresSoon();
  }

  function tick() {
    for (const id of state.forget()) dirty.add(id);
    for (const id of partials.forget((call) => !state.cards.has(call) || state.cards.get(call).ended_ms)) dirty.add(id);
    if (dirty.size) plan();
    const now = state.now();
    for (const [id, view] of cards) view.tick(state.cards.get(id), now);
    if (Date.now() - sortedAt >= SORT_EVERY_MS) sort(false);
    figures();
  }

  function sort(at_once) {
    if (at_once || Date.now() - sortedAt >= SORT_EVERY_MS) sortedAt = Date.now();
    const wanted = state.sorted(choice.order).filter(inChoice);
    const visible = choice.all ? wanted : wanted.slice(0, CARDS_SHOWN);
    arrange(visible.map((card) => card.id));
    more.hidden = wanted.length <= CARDS_SHOWN;
    setText(more, choice.all ? `Show the first ${CARDS_SHOWN} only` : `Show all ${wanted.length} calls`);
    const total = wanted.length;
    setText(shown, total > visible.length ? `${visible.length} of ${total}` : total ? String(total) : "");
    empty.hidden = total > 0;
    body.classList.toggle("idle", total === 0 && feed.childElementCount === 0);
    orders.hidden = state.cards.size === 0;
    filters.forEach(fill);
  }

  // Cards keep their element; those that move slide to their new place.
  function arrange(ids) {
    const before = new Map([...cards].map(([id, view]) => [id, view.root.getBoundingClientRect()]));
    const now = state.now();
    for (const [id, view] of cards) {
      if (!ids.includes(id)) {
        view.root.remove();
        cards.delete(id);
      }
    }
    ids.forEach((id, place) => {
      let view = cards.get(id);
      if (!view) {
        view = cardView(id, state, open);
        cards.set(id, view);
      }
      view.show(state.cards.get(id), now, partials.newest(id));
      if (grid.children[place] !== view.root) grid.insertBefore(view.root, grid.children[place] ?? null);
    });
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden) return;
    const moved = [];
    for (const [id, view] of cards) {
      const from = before.get(id);
      if (!from) continue;
      const to = view.root.getBoundingClientRect();
      const [dx, dy] = [from.left - to.left, from.top - to.top];
      if (dx || dy) moved.push([view.root, dx, dy]);
    }
    // No eye follows more, and what is said meanwhile would wait for their pictures.
    if (moved.length > MOST_SLIDING) return;
    for (const [node, dx, dy] of moved) {
      node.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: "none" }], {
        duration: 350,
        easing: "cubic-bezier(.2,.7,.2,1)",
      });
    }
  }

  // Nobody reads them faster, and each change has most of the page drawn anew.
  function figuresSoon() {
    const early_ms = figuresAt + FIGURES_EVERY_MS - Date.now();
    if (early_ms <= 0) figures();
    else figuresDue ||= setTimeout(figures, early_ms);
  }

  function figures() {
    clearTimeout(figuresDue);
    figuresDue = 0;
    figuresAt = Date.now();
    const sums = state.figures(inChoice);
    kpis.live.set(String(sums.live), sums.lost ? `${sums.lost} without a signal` : "");
    kpis.pace.set(String(sums.pace), "in the last 60 seconds");
    kpis.negative.set(
      percent(sums.negative, sums.sentences),
      sums.sentences ? `${sums.negative} of ${sums.sentences} in these calls` : "",
    );
    const worst = sums.worst;
    if (worst) {
      const label = labelOf(worst.mood);
      kpis.worst.set(`${signOf(label)} ${nameOf(worst)}`, `mood ${signed(worst.mood)}${withAgent(worst)}`, label);
    } else kpis.worst.set("–", "");
    kpis.worst.root.onclick = worst ? () => open(worst.id) : null;
    kpis.worst.root.classList.toggle("link", Boolean(worst));
  }

  function feedRow(entry) {
    const row = el("li", `ov-feed-row ${entry.label ?? "none"}`);
    row.dataset.key = `${entry.call_id}:${entry.index}`;
    const sign = el("span", "ov-feed-sign", signOf(entry.label));
    sign.title = entry.label ?? "not rated";
    const who = el("span", "ov-feed-who", entry.customer ?? "Unknown caller");
    const role = el("span", "ov-muted", entry.speaker === "agent" ? `${entry.agent ?? "agent"} says` : "");
    const time = el("time", "ov-feed-time", timeOfDay(entry.stored_ms));
    const head = el("div", "ov-feed-head");
    head.append(sign, who, role, lateMark(entry.late_s), time);
    row.append(head, el("p", "ov-feed-text", entry.text));
    row.addEventListener("click", () => open(entry.call_id));
    return row;
  }

  /** The sentences of a call that was deleted go at once, also those not painted yet. */
  function dropRows(call) {
    fresh = fresh.filter((entry) => entry.call_id !== call);
    for (const row of [...feed.children]) if (row.dataset.key.startsWith(`${call}:`)) row.remove();
  }

  function choose(part) {
    Object.assign(choice, part);
    sessionStorage.setItem(STORED_CHOICE, JSON.stringify(choice));
    showChoice();
    feed.replaceChildren(...state.feed.filter(inChoice).map(feedRow));
    showAlerts();
    sort(true);
    figures();
  }

  function showAlerts() {
    alarms.set(state.alerts.filter(inChoice));
  }

  function judge(alert, verdict) {
    if (socket.send(JSON.stringify({ kind: "judge", id: alert.id, verdict }))) alarms.next();
    else problem("The verdict was not sent: the connection is lost. Try again in a moment.");
  }

  // How long sentences took from the speaker's silence to a screen, over the last minutes.
  function latency(figures) {
    const stages = figures?.stages ?? {};
    const seconds = (ms) => `${(ms / 1000).toFixed(ms < 9950 ? 2 : 1)} s`;
    const { total } = stages;
    if (total) {
      const rest = `p50 ${seconds(total.p50_ms)}, p99 ${seconds(total.p99_ms)}`;
      kpis.latency.set(seconds(total.p95_ms), rest, total.p95_ms > 1000 ? "negative" : "");
    } else kpis.latency.set("–", `in the last ${figures?.minutes ?? 15} minutes`);
    kpis.latency.root.title = Object.entries(stages)
      .map(([stage, row]) => `${STAGE_NAMES[stage]}: p50 ${row.p50_ms} ms, p95 ${row.p95_ms} ms, p99 ${row.p99_ms} ms`)
      .join("\n");
  }

  function showChoice() {
    for (const node of orderButtons) node.setAttribute("aria-pressed", String(node.dataset.order === choice.order));
  }

  function fill({ field, everything, select }) {
    const chosen = choice[field];
    const names = [...new Set([...state.values(field), ...(chosen ? [chosen] : [])])].sort();
    const options = ["", ...names];
    if (JSON.stringify(options) !== JSON.stringify([...select.options].map((option) => option.value))) {
      select.replaceChildren(
        ...options.map((name) => {
          const option = el("option", "", name || everything);
          option.value = name;
          return option;
        }),
      );
    }
    select.value = chosen;
    select.hidden = names.length === 0;
  }

  function connection(now) {
    if (now === "open") problem(null);
    else problem(`Connection lost. What you see is from ${timeOfDay(state.now())}; trying again.`);
    root.classList.toggle("stale", now !== "open");
  }

  function problem(text) {
    banner.hidden = !text;
    setText(banner, text ?? "");
  }

  function open(id) {
    latest.setTriggerValue("opened", id);
  }

  function inChoice(item) {
    return FILTERS.every(([field]) => !choice[field] || item[field] === choice[field]);
  }

  return {
    update(component) {
      latest = component;
      socket.hurry();
    },
    stop() {
      clearInterval(ticking);
      clearTimeout(figuresDue);
      paints.stop();
      alarms.stop();
      socket.stop();
    },
  };
}

const withAgent = (card) => (card.agent ? ` · with ${card.agent}` : "");

function emptyState(data) {
  const node = el("div", "ov-empty");
  const code = el("code", "", data.start_command);
  const how = el("p");
  how.append("Start a call and it appears here while it is spoken. To try it, run ", code, " in a terminal.");
  node.append(el("strong", "", "No calls are live"), how);
  return node;
}
