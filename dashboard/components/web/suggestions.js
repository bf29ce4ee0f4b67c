// What the assistant would answer to the customer's requests, the latest first; C copies it, U and N say what it was worth.
import { button, el, isTyping, setText, timeOfDay } from "./dom.js";

const SHOWN = 3;
const COPIED_MS = 1600;

/** `onMark(suggestion, used)` is told what the agent says of one; `mark` shows what is stored. */
export function suggestions({ onMark }) {
  const root = el("section", "ov-panel ov-suggestions");
  root.setAttribute("aria-label", "Suggestions");
  const head = el("div", "ov-panel-head");
  const keys = el("span", "ov-muted");
  keys.append(el("kbd", "", "C"), " copies the first, ", el("kbd", "", "U"), " used, ", el("kbd", "", "N"), " not useful");
  head.append(el("h3", "ov-heading", "Suggestion"), el("span", "ov-grow"), keys);
  const none = el("p", "ov-muted ov-panel-none", "Nothing yet. It appears when the customer asks something that the assistant can answer.");
  const list = el("ol", "ov-suggestion-rows");
  list.setAttribute("aria-live", "polite");
  const worth = el("p", "ov-muted ov-suggestion-worth");
  worth.title = "Of the suggestions that you marked in the last 90 days, with the 95 % interval (Wilson)";
  root.append(head, none, list, worth);

  let known = []; // the newest first
  let marks = new Map(); // index of the sentence -> used

  function row(suggestion) {
    const node = el("li", "ov-suggestion");
    node.dataset.index = suggestion.index;
    node.classList.toggle("question", suggestion.is_question);
    const kind = el("span", "ov-suggestion-kind", suggestion.is_question ? "Ask the customer" : "You could say");
    const copy = button("ov-button small", "Copy", "Copy this suggestion", () => take(suggestion, copy));
    const used = button("ov-button small", "Used", "I used it (U)", () => onMark(suggestion, true));
    const useless = button("ov-button small", "Not useful", "It was not useful (N)", () => onMark(suggestion, false));
    used.setAttribute("aria-pressed", String(marks.get(suggestion.index) === true));
    useless.setAttribute("aria-pressed", String(marks.get(suggestion.index) === false));
    const top = el("div", "ov-suggestion-head");
    top.append(kind, el("span", "ov-grow"), copy, used, useless);
    const from = [
      suggestion.source && `From ${suggestion.source}`,
      suggestion.as_of_ms ? `true at ${timeOfDay(suggestion.as_of_ms)}` : timeOfDay(suggestion.at_ms),
    ].filter(Boolean);
    node.append(
      top,
      el("p", "ov-suggestion-text", suggestion.text),
      el("p", "ov-muted ov-suggestion-asked", `“${suggestion.asked}”`),
      el("p", "ov-muted", from.join(" · ")),
    );
    return node;
  }

  async function take(suggestion, copy) {
    const done = await copyText(suggestion.text);
    setText(copy, done ? "Copied" : "Not copied");
    setTimeout(() => setText(copy, "Copy"), COPIED_MS);
  }

  function draw() {
    none.hidden = known.length > 0;
    keys.hidden = known.length === 0;
    list.replaceChildren(...known.slice(0, SHOWN).map(row));
  }
  worth.hidden = true;
  draw();

  return {
    root,
    /** All suggestions of the call, the oldest first. */
    set(all) {
      known = all.toReversed();
      draw();
    },
    add(suggestion) {
      if (known.some((each) => each.index === suggestion.index)) return;
      known = [suggestion, ...known];
      draw();
    },
    /** What is stored of the call's suggestions, as [index, used]. */
    setMarks(all) {
      marks = new Map(all);
      draw();
    },
    mark(index, used) {
      marks.set(index, used);
      draw();
    },
    /** How often the agent used what they marked, in words. */
    setWorth(words) {
      worth.hidden = !words;
      setText(worth, `Your suggestions: ${words}`);
    },
    onKey(event) {
      const place = "cun".indexOf(event.key.toLowerCase());
      if (place < 0 || isTyping(event) || !known.length || String(getSelection())) return;
      list.querySelectorAll("button")[place].click();
    },
  };
}

// Pages that are not served over HTTPS have no clipboard of their own.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
