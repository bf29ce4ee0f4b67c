// What the assistant would answer to the customer's requests, the latest first; C copies it.
import { button, el, isTyping, setText, timeOfDay } from "./dom.js";

const SHOWN = 3;
const COPIED_MS = 1600;

export function suggestions() {
  const root = el("section", "ov-panel ov-suggestions");
  root.setAttribute("aria-label", "Suggestions");
  const head = el("div", "ov-panel-head");
  const keys = el("span", "ov-muted");
  keys.append(el("kbd", "", "C"), " copies the first");
  head.append(el("h3", "ov-heading", "Suggestion"), el("span", "ov-grow"), keys);
  const none = el("p", "ov-muted ov-panel-none", "Nothing yet. It appears when the customer asks something that the assistant can answer.");
  const list = el("ol", "ov-suggestion-rows");
  list.setAttribute("aria-live", "polite");
  root.append(head, none, list);

  let known = []; // the newest first

  function row(suggestion) {
    const node = el("li", "ov-suggestion");
    node.dataset.index = suggestion.index;
    node.classList.toggle("question", suggestion.is_question);
    const kind = el("span", "ov-suggestion-kind", suggestion.is_question ? "Ask the customer" : "You could say");
    const copy = button("ov-button small", "Copy", "Copy this suggestion", () => take(suggestion, copy));
    const top = el("div", "ov-suggestion-head");
    top.append(kind, el("span", "ov-grow"), copy);
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
    onKey(event) {
      if (isTyping(event) || event.key.toLowerCase() !== "c" || !known.length || String(getSelection())) return;
      list.querySelector("button").click();
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
