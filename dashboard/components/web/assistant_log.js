// The conversation as bubbles: what was said, what is being said, what was answered, and how that came about.
import { el, setText } from "./dom.js";
import { intentName, latencyLine, seconds, share, slotChip, sources, stageList } from "./turn_words.js";

const NEAR_END = 80; // pixels: who has scrolled up is reading

/** `examples` are questions to start with; `onExample(text)` is told which was chosen. */
export function assistantLog({ examples, onExample }) {
  const root = el("div", "ov-talk-log");
  const list = el("ol", "ov-talk-turns");
  list.setAttribute("role", "log");
  list.setAttribute("aria-live", "polite");
  list.setAttribute("aria-label", "Conversation");
  const hint = firstHint(examples, onExample);
  root.append(hint, list);
  root.tabIndex = 0; // so that the keyboard can scroll it

  let turns = new Map(); // number -> {node, replies, facts, stages, heardMs}
  let asked = null; // the bubble of what the person has said and nobody has answered yet
  let partial = null;

  function add(node, before = null) {
    const atEnd = root.scrollHeight - root.scrollTop - root.clientHeight < NEAR_END;
    list.insertBefore(node, before);
    hint.hidden = true;
    if (atEnd) toEnd();
  }

  function toEnd() {
    root.scrollTop = root.scrollHeight;
  }

  function bubble(side, text) {
    const node = el("li", `ov-bubble ${side}`);
    node.append(el("span", "ov-out", side === "user" ? "You: " : "Assistant: "), el("span", "ov-bubble-text", text));
    return node;
  }

  function dropPartial() {
    partial?.remove();
    partial = null;
  }

  return {
    root,
    /** What the recogniser thinks is being said; an empty text takes it away. */
    partial(text) {
      if (!text) return dropPartial();
      if (!partial) {
        partial = bubble("user partial", "");
        // Half words read out would drown the answer.
        partial.setAttribute("aria-hidden", "true");
        add(partial);
      }
      setText(partial.lastElementChild, text);
      toEnd();
    },
    /** What the person has said or typed, before it is answered. */
    asked(text) {
      dropPartial();
      if (asked) setText(asked.lastElementChild, text);
      else {
        asked = bubble("user", text);
        add(asked);
        toEnd();
      }
    },
    /** One step of the conversation. */
    turn(turn) {
      dropPartial();
      if (turn.user_text) {
        const mine = asked ?? bubble("user", turn.user_text);
        setText(mine.lastElementChild, turn.user_text);
        if (!mine.isConnected) add(mine);
        asked = null;
      } else if (turn.event === "opened" && asked) asked.remove(); // the greeting comes before the first question
      const waiting = asked && !asked.isConnected ? asked : null;
      const replies = turn.replies.map((text) => bubble("assistant", text));
      for (const reply of replies) add(reply);
      const facts = el("li", "ov-facts");
      const view = { facts, replies, stages: null, heardMs: null, readout: null };
      turns.set(turn.number, view);
      facts.append(...factParts(turn));
      if (facts.childElementCount) add(facts);
      if (waiting) add(waiting);
      toEnd();
    },
    /** How long the answer of a turn took, by stage. */
    latency(number, stages) {
      const view = turns.get(number);
      if (!view || !(stages.total_ms > 0)) return;
      view.stages = stages;
      showLatency(view);
      if (!view.facts.isConnected) view.replies.at(-1)?.after(view.facts);
      toEnd();
    },
    /** How long after the end of speech the answer was heard, as this page measured. */
    heardAfter(number, ms) {
      const view = turns.get(number);
      if (!view) return;
      view.heardMs = ms;
      if (view.stages) showLatency(view);
    },
    /** Marks which reply is being spoken, null for none. */
    speaking(number) {
      for (const [each, view] of turns) for (const reply of view.replies) reply.classList.toggle("speaking", each === number);
    },
    /** A quiet line between the bubbles. */
    note(text, kind = "") {
      add(el("li", `ov-talk-note ${kind}`, text));
      toEnd();
    },
    /** What follows belongs to another conversation. */
    begin() {
      turns = new Map();
      dropPartial();
    },
    clear() {
      this.begin();
      asked = null;
      list.replaceChildren();
      hint.hidden = false;
    },
    get empty() {
      return !list.childElementCount;
    },
  };
}

function factParts(turn) {
  const parts = [];
  if (turn.intent) {
    const intent = el("span", "ov-fact-intent", intentName(turn.intent.name));
    intent.title = `${turn.intent.name}, sure to ${share(turn.intent.score)}`;
    parts.push(intent, ...turn.intent.slots.map(slotChip));
  }
  parts.push(...sources(turn.actions).map((text) => el("span", "ov-fact-source", text)));
  if (turn.error) parts.push(el("span", "ov-fact-error", turn.error));
  return parts;
}

function showLatency(view) {
  const { wait_ms = 0, compute_ms = 0, total_ms } = view.stages;
  const notes = [];
  if (wait_ms + compute_ms > 1.02 * total_ms) notes.push("Some of this was done while waiting.");
  if (view.heardMs !== null) notes.push(`You heard it ${seconds(view.heardMs)} s after you stopped, as this page measured.`);
  const open = view.readout?.open;
  const readout = el("details", "ov-latency");
  readout.open = Boolean(open);
  readout.append(el("summary", "", latencyLine(view.stages)), stageList(view.stages, notes));
  readout.addEventListener("toggle", () => readout.open && readout.scrollIntoView({ block: "nearest" }));
  if (view.readout) view.readout.replaceWith(readout);
  else view.facts.append(readout);
  view.readout = readout;
}

function firstHint(examples, onExample) {
  const node = el("div", "ov-talk-hint");
  const row = el("div", "ov-talk-examples");
  row.append(
    ...examples.map((text) => {
      const choice = el("button", "ov-button", text);
      choice.type = "button";
      choice.addEventListener("click", () => onExample(text));
      return choice;
    }),
  );
  node.append(
    el("strong", "", "Ask about the weather, prices, stock or shops"),
    el("p", "", "Press the microphone and speak, or type below. For example:"),
    row,
  );
  return node;
}
