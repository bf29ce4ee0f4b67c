// An agent's own call while it goes on: what is said, the customer's mood, what could be answered, what not to forget.
import { clock, el, setText } from "./dom.js";
import { chip, labelOf, signed, sparkline } from "./mood.js";
import { paintClock } from "./paint_clock.js";
import { Partials } from "./partials.js";
import { reminderList } from "./reminder_list.js";
import { keepOpen } from "./socket.js";
import { spokenList } from "./spoken_list.js";
import { suggestions } from "./suggestions.js";

const TICKS = "overtone.reminders."; // what was ticked by hand, for as long as the browser's tab
const TREND = 30;
const CHANGE = 0.05; // of the mood; less is noise

export function mount(component) {
  let latest = component;
  let call = null; // the card of the call that is shown
  let ahead = 0; // the server's clock minus ours
  let asked = []; // suggestions of all the agent's calls
  let moods = []; // the customer's running mood after each sentence
  let fetching = "";
  let stopped = false;
  let number = 0;
  const { agent, reminders } = component.data;
  const partials = new Partials();

  const root = component.parentElement.querySelector(".ov-agent");
  root.tabIndex = -1;
  const banner = el("div", "ov-banner");
  banner.setAttribute("role", "status");
  banner.hidden = true;
  const waiting = el("div", "ov-empty");
  waiting.append(el("strong", "", "No call at the moment"), el("p", "", `The next call of ${agent} appears here as it begins.`));
  const name = el("h3", "ov-agent-name");
  const facts = el("span", "ov-muted");
  const time = el("span", "ov-agent-time");
  const head = el("div", "ov-agent-head");
  head.append(name, facts, el("span", "ov-grow"), time);
  const mood = chip();
  const change = el("p", "ov-mood-change");
  const spark = sparkline(200, 30);
  const moodPanel = el("section", "ov-panel ov-agent-mood");
  moodPanel.setAttribute("aria-label", "Customer's mood");
  moodPanel.append(el("h3", "ov-heading", "Customer's mood"), mood.root, change, spark.root);
  const script = spokenList();
  const advice = suggestions({
    onMark: ({ call, index, text }, used) => {
      if (!socket.send(JSON.stringify({ kind: "mark", call, index, text, used }))) problem("No connection: nothing is marked.");
    },
  });
  const todo = reminderList({
    names: reminders,
    onTick: (ticks) => call && sessionStorage.setItem(TICKS + call.id, JSON.stringify(ticks)),
  });
  const side = el("div", "ov-agent-side");
  side.append(advice.root, todo.root);
  const main = el("div", "ov-agent-main");
  main.append(moodPanel, script.root);
  const desk = el("div", "ov-agent-desk");
  desk.append(main, side);
  root.replaceChildren(banner, waiting, head, desk);

  const socket = keepOpen({
    path: "/api/live",
    query: { agent },
    ticket: () => latest.data.ticket,
    onMessage: receive,
    onState: (now) => problem(now === "open" ? "" : "Connection lost; trying again."),
    onTicketRefused: () => latest.setTriggerValue("ticket_wanted", Date.now()),
  });
  const paints = paintClock((text) => socket.send(text));
  const ticking = setInterval(tick, 1000);
  document.addEventListener("keydown", advice.onKey);
  show(null);

  function receive(message) {
    if (message.now_ms) ahead = message.now_ms - Date.now();
    if (message.kind === "pong") paints.pong(message);
    else if (message.kind === "snapshot") {
      paints.opened();
      number = message.number;
      asked = message.suggestions ?? [];
      const own = message.cards.find((card) => card.id === call?.id);
      show(current(message.cards) ?? own ?? null);
    } else if (message.kind === "refused") problem(message.message);
    else if (message.kind === "marked") {
      problem("");
      if (message.call === call?.id) advice.mark(message.index, message.used);
      advice.setWorth(message.usefulness);
    } else if (message.kind === "partials") {
      if (partials.hear(message.rows).includes(call?.id)) speaking();
    } else if (message.kind === "late") {
      const own = message.rows.filter(([id]) => id === call?.id);
      script.setLate(own.map(([, index, seconds]) => [index, seconds]));
    } else if (message.kind === "suggestion") {
      asked = [...asked, message].slice(-20);
      if (message.call === call?.id) advice.add(message);
    } else if (message.kind === "events") message.events.forEach(apply);
  }

  function apply(event) {
    if (event.number <= number) return; // the snapshot had it already
    number = event.number;
    if (event.removed) {
      if (event.removed === call?.id) show(null);
      return;
    }
    const { card, entry } = event;
    if (!card) return;
    // The call that began last is the one that the agent is on; one that has ended stays until the next begins.
    if (card.id !== call?.id) {
      if (!card.ended_ms && (!call || call.ended_ms || card.began_ms > call.began_ms)) show(card);
      return;
    }
    const before = call;
    call = card;
    if (entry) {
      partials.final(entry);
      script.add(entry);
      todo.hear(event.ticked ?? []);
      if (card.mood !== null && entry.label && entry.speaker !== "agent") moods.push(card.mood);
      requestAnimationFrame(() => paints.painted([entry]));
      speaking();
    }
    if (card.ended_ms && !before.ended_ms) speaking();
    draw();
  }

  function show(card) {
    const other = card?.id !== call?.id;
    call = card;
    waiting.hidden = Boolean(card);
    head.hidden = desk.hidden = !card;
    if (!card) return;
    if (other) {
      moods = [];
      script.clear();
      advice.setMarks([]);
      todo.start([], JSON.parse(sessionStorage.getItem(TICKS + card.id) ?? "{}"));
    }
    advice.set(asked.filter((each) => each.call === card.id));
    draw();
    load(card.id);
  }

  // What was said before the line was open; what comes meanwhile is merged by its place in the call.
  async function load(id) {
    if (fetching === id) return;
    fetching = id;
    const query = new URLSearchParams({ agent, ticket: latest.data.ticket });
    const answer = await fetch(`/api/agent/${encodeURIComponent(id)}?${query}`).catch(() => null);
    fetching = "";
    if (stopped || call?.id !== id) return;
    if (!answer?.ok) {
      if (answer?.status === 403) latest.setTriggerValue("ticket_wanted", Date.now());
      problem(answer ? (await answer.text()).trim() : "The server does not answer.");
      return;
    }
    const content = await answer.json();
    script.merge(content.sentences);
    if (content.moods.length >= moods.length) moods = content.moods;
    todo.hear(content.ticked);
    advice.setMarks(content.marks);
    advice.setWorth(content.usefulness);
    draw();
  }

  function draw() {
    setText(name, call.customer ?? "Unknown caller");
    setText(facts, [call.queue, call.team].filter(Boolean).join(" · "));
    mood.setMood(call.mood);
    spark.root.dataset.mood = labelOf(call.mood);
    spark.draw(moods.slice(-TREND));
    setText(change, lastChange(moods));
    tick();
  }

  function speaking() {
    script.setPartials(call.ended_ms ? [] : partials.of(call.id).map((each) => ({ ...each, speaker: call.speakers[each.channel - 1] })));
  }

  function tick() {
    if (!call) return;
    if (partials.forget().includes(call.id)) speaking();
    const since = (Date.now() + ahead - call.began_ms) / 1000;
    setText(time, call.ended_ms ? "Ended · waiting for your next call" : `● live, ${clock(since)}`);
    time.classList.toggle("ended", Boolean(call.ended_ms));
  }

  function problem(text) {
    banner.hidden = !text;
    setText(banner, text);
  }

  return {
    update(component) {
      const renewed = component.data.ticket !== latest.data.ticket;
      latest = component;
      socket.hurry();
      if (renewed && call && !banner.hidden) load(call.id);
    },
    stop() {
      stopped = true;
      clearInterval(ticking);
      document.removeEventListener("keydown", advice.onKey);
      paints.stop();
      socket.stop();
    },
  };
}

// Of several calls the one that began last.
const current = (cards) =>
  cards.filter((card) => !card.ended_ms).reduce((last, card) => (card.began_ms > (last?.began_ms ?? -1) ? card : last), null);

function lastChange(moods) {
  if (!moods.length) return "The customer has not said anything yet";
  if (moods.length < 2) return "First sentence of the customer";
  const by = moods.at(-1) - moods.at(-2);
  if (Math.abs(by) < CHANGE) return "Steady since the last sentence";
  return `${by > 0 ? "▲ Better" : "▼ Worse"} by ${signed(Math.abs(by)).slice(1)} with the last sentence`;
}
