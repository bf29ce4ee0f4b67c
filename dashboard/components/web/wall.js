// The live wall: figures, a card for each call that is going on, and the latest sentences.
import { WallState } from "./wall_state.js";
import { button, clock, el, percent, setText, span, tile, timeOfDay } from "./dom.js";
import { chip, labelOf, signed, signOf, sparkline } from "./mood.js";
import { keepOpen } from "./socket.js";

const SORT_EVERY_MS = 4000;
const FEED_ROWS = 40;
const CARDS_SHOWN = 24;
const STORED_CHOICE = "overtone.wall";

export function mount(component) {
  let latest = component;
  const state = new WallState();
  const choice = { order: "worst", agent: "", all: false, ...JSON.parse(sessionStorage.getItem(STORED_CHOICE) ?? "{}") };
  const cards = new Map(); // call id -> card view
  const dirty = new Set();
  let fresh = []; // sentences that came since the last painting
  let sortedAt = 0;
  let planned = false;

  const root = component.parentElement.querySelector(".ov-wall");
  root.tabIndex = -1;
  const banner = el("div", "ov-banner");
  banner.setAttribute("role", "status");
  banner.hidden = true;
  const kpis = {
    live: tile("Calls live"),
    pace: tile("Sentences a minute"),
    negative: tile("Negative sentences"),
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
  const agents = el("select", "ov-select");
  agents.setAttribute("aria-label", "Agent");
  agents.addEventListener("change", () => choose({ agent: agents.value }));
  toolbar.append(el("h3", "ov-heading", "Live calls"), shown, el("span", "ov-grow"), orders, agents);

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
  root.replaceChildren(banner, strip, body);

  const socket = keepOpen({
    path: component.data.path,
    ticket: () => latest.data.ticket,
    onMessage: receive,
    onState: connection,
    onTicketRefused: () => latest.setTriggerValue("ticket_wanted", Date.now()),
  });
  const ticking = setInterval(tick, 1000);
  showChoice();

  function receive(message) {
    if ("problem" in message) problem(message.problem);
    if (message.kind === "snapshot") {
      state.load(message);
      fresh = [];
      feed.replaceChildren(...state.feed.filter(inChoice).map(feedRow));
      sort(true);
      tick();
    } else if (message.kind === "events") {
      for (const change of state.apply(message)) {
        dirty.add(change.id);
        if (change.entry && inChoice(change.entry)) fresh.push(change.entry);
      }
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
    if (held) fresh = fresh.slice(-FEED_ROWS);
    else if (fresh.length) {
      // Newest first; what falls out at the bottom goes.
      for (const entry of fresh) feed.prepend(feedRow(entry));
      fresh = [];
      while (feed.childElementCount > FEED_ROWS) feed.lastElementChild.remove();
    }
    let unknown = false;
    for (const id of dirty) {
      const view = cards.get(id);
      if (view) view.show(state.cards.get(id), state.now());
      else unknown ||= state.cards.has(id);
    }
    dirty.clear();
    if (unknown && cards.size < CARDS_SHOWN) sort(true);
    figures();
  }

  function tick() {
    for (const id of state.forget()) dirty.add(id);
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
    orders.hidden = agents.hidden = state.cards.size === 0;
    fillAgents();
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
        view = cardView(id);
        cards.set(id, view);
      }
      view.show(state.cards.get(id), now);
      if (grid.children[place] !== view.root) grid.insertBefore(view.root, grid.children[place] ?? null);
    });
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden) return;
    for (const [id, view] of cards) {
      const from = before.get(id);
      if (!from) continue;
      const to = view.root.getBoundingClientRect();
      const [dx, dy] = [from.left - to.left, from.top - to.top];
      if (dx || dy) {
        view.root.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: "none" }], {
          duration: 350,
          easing: "cubic-bezier(.2,.7,.2,1)",
        });
      }
    }
  }

  function figures() {
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

  function cardView(id) {
    const node = el("a", "ov-card");
    node.href = callAddress(id);
    node.dataset.call = id;
    node.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(id);
    });
    const name = el("span", "ov-card-name");
    const time = el("span", "ov-card-time");
    const sub = el("div", "ov-card-sub");
    const mood = chip();
    const spark = sparkline(120, 28);
    const said = el("p", "ov-card-said");
    const head = el("div", "ov-card-head");
    head.append(name, time);
    const middle = el("div", "ov-card-mood");
    middle.append(mood.root, spark.root);
    node.append(head, sub, middle, said);
    let drawn = null;
    function tickView(card, now) {
      if (!card) return;
      const silent = (now - card.seen_ms) / 1000;
      const phase = state.phase(card);
      node.dataset.phase = phase;
      setText(time, { ended: "ended", lost: `no signal for ${span(silent)}` }[phase] ?? clock(state.elapsed(card)));
      setText(sub, `${card.agent ?? "No agent"}${phase === "silent" ? ` · silent for ${span(silent)}` : ""}`);
    }
    return {
      root: node,
      tick: tickView,
      show(card, now) {
        if (!card) return;
        tickView(card, now);
        if (drawn === card) return;
        drawn = card;
        const label = labelOf(card.mood);
        node.dataset.mood = label;
        setText(name, nameOf(card));
        mood.setMood(card.mood);
        spark.root.dataset.mood = label;
        spark.draw(card.trend);
        setText(said, card.last ? card.last.text : "Nothing said yet");
        said.classList.toggle("none", !card.last);
      },
    };
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
    head.append(sign, who, role, time);
    row.append(head, el("p", "ov-feed-text", entry.text));
    row.addEventListener("click", () => open(entry.call_id));
    return row;
  }

  function choose(part) {
    Object.assign(choice, part);
    sessionStorage.setItem(STORED_CHOICE, JSON.stringify(choice));
    showChoice();
    feed.replaceChildren(...state.feed.filter(inChoice).map(feedRow));
    sort(true);
    figures();
  }

  function showChoice() {
    for (const node of orderButtons) node.setAttribute("aria-pressed", String(node.dataset.order === choice.order));
  }

  function fillAgents() {
    const names = [...new Set([...state.agents(), ...(choice.agent ? [choice.agent] : [])])].sort();
    const options = ["", ...names];
    if (JSON.stringify(options) !== JSON.stringify([...agents.options].map((option) => option.value))) {
      agents.replaceChildren(
        ...options.map((name) => {
          const option = el("option", "", name || "All agents");
          option.value = name;
          return option;
        }),
      );
    }
    agents.value = choice.agent;
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
    return !choice.agent || item.agent === choice.agent;
  }

  return {
    update(component) {
      latest = component;
      socket.hurry();
    },
    stop() {
      clearInterval(ticking);
      socket.stop();
    },
  };
}

const nameOf = (card) => card.customer ?? "Unknown caller";
const withAgent = (card) => (card.agent ? ` · with ${card.agent}` : "");
const callAddress = (id) => `call?call=${encodeURIComponent(id)}`;

function emptyState(data) {
  const node = el("div", "ov-empty");
  const code = el("code", "", data.start_command);
  const how = el("p");
  how.append("Start a call and it appears here while it is spoken. To try it, run ", code, " in a terminal.");
  node.append(el("strong", "", "No calls are live"), how);
  return node;
}
