// A stored conversation: each turn with what was understood, how it was answered, and what people made of it.
import { button, el, icon } from "./dom.js";
import { turnEditor } from "./turn_editor.js";
import { intentName, share, slotChip, slotName, sources, stageList } from "./turn_words.js";

const UNSURE_BELOW = 0.7;
const EVENTS = { opened: "The conversation began", silence: "Nothing was said", "time-out": "Nothing came in time", reset: "Started over", undo: "Took the last words back" };

export function mount(component) {
  let latest = component;
  const root = component.parentElement.querySelector(".ov-turns");
  root.tabIndex = -1;
  const list = el("ol", "ov-turn-list");
  root.replaceChildren(list);
  const open = new Set(); // numbers of the turns whose details are shown

  function draw() {
    list.replaceChildren(...latest.data.turns.map(row));
  }

  function row(turn) {
    const node = el("li", "ov-turn");
    node.dataset.number = turn.number;
    const label = turn.labels.at(-1);
    const head = el("div", "ov-turn-head");
    const said = el("p", "ov-turn-said");
    if (turn.user_text) said.append(el("span", "ov-out", "Said: "), ...marked(turn.user_text, (label ?? turn.intent)?.slots ?? []));
    else {
      said.append(EVENTS[turn.event] ?? turn.event);
      said.classList.add("none");
    }
    const chips = el("div", "ov-turn-chips");
    if (turn.intent) chips.append(intentChip(turn.intent));
    if (label) chips.append(labelChip(turn, label));
    const more = button("ov-more", icon("more"), "Details and correction", () => {
      if (!open.delete(turn.number)) open.add(turn.number);
      show();
    });
    const time = el("time", "ov-turn-time", new Date(turn.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
    time.title = new Date(turn.at).toLocaleString();
    head.append(time, said, chips, more);
    node.append(head, ...turn.replies.map(reply), quietLine(turn));
    let details = null;

    function show() {
      const wanted = open.has(turn.number);
      more.setAttribute("aria-expanded", String(wanted));
      if (wanted && !details) node.append((details = panel(turn)));
      if (!wanted) {
        details?.remove();
        details = null;
      }
    }
    show();
    return node;
  }

  function panel(turn) {
    const node = el("div", "ov-turn-panel");
    if (turn.user_text) {
      node.append(
        turnEditor({
          turn,
          intents: latest.data.intents,
          slots: latest.data.slots,
          onSave: (intent, slots) => latest.setTriggerValue("corrected", { number: turn.number, intent, slots }),
        }),
      );
    }
    node.append(origin(turn));
    return node;
  }

  draw();
  return {
    update(component) {
      const same = JSON.stringify(component.data) === JSON.stringify(latest.data);
      latest = component;
      if (!same) draw();
    },
    stop() {},
  };
}

function reply(text) {
  const node = el("p", "ov-turn-reply");
  node.append(el("span", "ov-out", "Answered: "), text);
  return node;
}

function quietLine(turn) {
  const node = el("div", "ov-turn-quiet");
  const slots = turn.labels.at(-1)?.slots ?? turn.intent?.slots ?? [];
  node.append(...slots.map(slotChip), ...sources(turn.actions).map((text) => el("span", "", text)));
  if (turn.error) node.append(el("span", "ov-turn-error", turn.error));
  return node;
}

function intentChip(intent) {
  const unsure = intent.score < UNSURE_BELOW;
  const chip = el("span", `ov-chip ${unsure ? "unsure" : ""}`);
  if (unsure) chip.append(el("span", "", "Unsure:"));
  chip.append(el("span", "", `${intentName(intent.name)} ${share(intent.score)}`));
  chip.title = `${intent.name} · ${intent.model}`;
  return chip;
}

function labelChip(turn, label) {
  const agrees = turn.intent?.name === label.intent && sameSlots(turn.intent.slots, label.slots);
  const chip = el("span", "ov-chip corrected", agrees ? "Confirmed" : `Corrected: ${intentName(label.intent)}`);
  chip.title = `by ${label.reviewer}, ${new Date(label.at).toLocaleString()}`;
  return chip;
}

const sameSlots = (a, b) => JSON.stringify(places(a)) === JSON.stringify(places(b));
const places = (slots) => slots.map((slot) => [slot.start, slot.end, slot.name]).sort((a, b) => a[0] - b[0]);

// The words with their slots underlined. Offsets count characters as Python does, so text is cut by code points.
function marked(text, slots) {
  const letters = [...text];
  const parts = [];
  let from = 0;
  for (const slot of [...slots].sort((a, b) => a.start - b.start)) {
    if (slot.start < from || slot.end <= slot.start) continue;
    const mark = el("span", "ov-mark", letters.slice(slot.start, slot.end).join(""));
    mark.title = slotName(slot.name);
    parts.push(letters.slice(from, slot.start).join(""), mark);
    from = slot.end;
  }
  return [...parts, letters.slice(from).join("")];
}

// What led to the answer: the way through the flows, what was asked of whom, and the time it took.
function origin(turn) {
  const node = el("section", "ov-origin");
  node.append(el("h3", "ov-heading", "How the answer came about"));
  const facts = el("dl", "ov-origin-facts");
  const fact = (name, ...content) => {
    const value = el("dd");
    value.append(...content);
    facts.append(el("dt", "", name), value);
  };
  const way = turn.path.length ? [turn.path[0][0], ...turn.path.flatMap(([, label, to]) => [label, to])] : [];
  if (way.length) fact("Way", ...way.map((part, i) => el("span", i % 2 ? "ov-edge" : "ov-state", i % 2 ? ` ${part} → ` : part)));
  fact("Then at", el("span", "ov-state", turn.state || "–"));
  for (const action of turn.actions) {
    const asked = Object.entries(action.request).map(([key, value]) => `${key} ${value}`);
    fact("Asked", `${action.name.replaceAll("_", " ")}${asked.length ? `: ${asked.join(", ")}` : ""}`);
    const from = sources([action])[0];
    fact("Got", `${action.status.replaceAll("_", " ")}${action.answer ? `: ${action.answer}` : ""}${from ? ` (${from})` : ""}`);
  }
  if (turn.intent) fact("Understood by", turn.intent.model);
  if (turn.recogniser) fact("Recognised by", turn.recogniser);
  node.append(facts);
  if (Object.keys(turn.timings_ms).length) node.append(stageList(turn.timings_ms));
  return node;
}
