// What is said on a call, as one reads it while it goes on: final sentences, and below them what is being said.
import { clock, el } from "./dom.js";
import { chip, lateMark } from "./mood.js";

const roleName = (role) => ({ agent: "You", customer: "Customer" })[role] ?? "Speaker";

/** A line of what somebody is saying right now, grey until it is final. */
export function partialRow(className, who, text) {
  const node = el("li", `${className} partial`);
  node.append(el("span", "ov-row-time", "now"), el("span", "ov-row-who", who), el("p", "ov-row-text", text));
  return node;
}

export function spokenList() {
  const root = el("section", "ov-panel ov-spoken");
  root.setAttribute("aria-label", "Transcript");
  const head = el("div", "ov-panel-head");
  head.append(el("h3", "ov-heading", "Transcript"));
  const list = el("ol", "ov-spoken-rows");
  list.setAttribute("role", "log");
  const none = el("p", "ov-muted ov-panel-none", "Nothing said yet");
  root.append(head, none, list);

  let known = new Map(); // index -> sentence
  let partials = [];

  function row(sentence) {
    const node = el("li", `ov-spoken-row ${sentence.speaker}`);
    node.dataset.index = sentence.index;
    const mood = chip();
    mood.setLabel(sentence.label, sentence.label ? undefined : "Not rated");
    mood.root.hidden = sentence.speaker === "agent" || !sentence.label;
    node.append(
      el("span", "ov-row-time", clock(sentence.start_s)),
      el("span", "ov-row-who", roleName(sentence.speaker)),
      el("p", "ov-row-text", sentence.text),
      mood.root,
    );
    node.querySelector(".ov-row-text").append(" ", lateMark(sentence.late_s));
    return node;
  }

  // A person who scrolled up to read stays there.
  function changed(act) {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    act();
    none.hidden = known.size + partials.length > 0;
    if (atEnd) list.scrollTop = list.scrollHeight;
  }

  return {
    root,
    /** Another call: nothing was said yet. */
    clear() {
      known = new Map();
      partials = [];
      changed(() => list.replaceChildren());
    },
    /** What was missed of this call; no sentence is shown twice. */
    merge(sentences) {
      changed(() => {
        for (const sentence of sentences) known.set(sentence.index, sentence);
        const all = [...known.values()].sort((a, b) => a.index - b.index);
        list.replaceChildren(...all.map(row), ...partials);
      });
    },
    add(sentence) {
      if (known.has(sentence.index)) return;
      known.set(sentence.index, sentence);
      changed(() => list.insertBefore(row(sentence), partials[0] ?? null));
    },
    /** These sentences came late: [index, seconds]. */
    setLate(late) {
      for (const [index, seconds] of late) {
        const sentence = known.get(index);
        if (!sentence || sentence.late_s) continue;
        sentence.late_s = seconds;
        list.querySelector(`[data-index="${index}"]`)?.replaceWith(row(sentence));
      }
    },
    /** What is being said now: {speaker, text} for each channel on which somebody speaks. */
    setPartials(speaking) {
      changed(() => {
        for (const node of partials) node.remove();
        partials = speaking.map((each) => partialRow(`ov-spoken-row ${each.speaker}`, roleName(each.speaker), each.text));
        list.append(...partials);
      });
    },
  };
}
