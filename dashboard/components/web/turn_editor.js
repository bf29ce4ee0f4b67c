// The correction of a turn: which intent it has, and which of its words are which slot.
import { button, el, icon, setText } from "./dom.js";
import { intentName, slotName } from "./turn_words.js";

// A word keeps its inner apostrophes, points and hyphens; any other sign stands for itself.
const TOKEN = /[\p{L}\p{N}](?:[\p{L}\p{N}'’.:,-]*[\p{L}\p{N}])?|[^\s\p{L}\p{N}]/gu;

/** `slots` are the names to choose from; `onSave(intent, [{name, start, end}])` is told what a person decided. */
export function turnEditor({ turn, intents, slots, onSave }) {
  const before = turn.labels.at(-1) ?? { intent: turn.intent?.name ?? "", slots: turn.intent?.slots ?? [] };
  const first = { intent: turn.labels.length ? before.intent : (turn.intent?.name ?? ""), marks: before.slots.map(place) };
  let marks = first.marks;
  let chosen = null; // [first word, last word]
  const words = tokens(turn.user_text);

  const root = el("section", "ov-editor");
  const select = chooser(`Intent of turn ${turn.number}`, "Choose the intent", intents, intentName);
  select.value = first.intent;
  const line = el("div", "ov-editor-words");
  line.setAttribute("role", "group");
  line.setAttribute("aria-label", "Words: choose the first and the last of a slot");
  const nodes = words.map((word, i) => {
    const node = el("button", "ov-word", word.text);
    node.type = "button";
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      node.releasePointerCapture?.(event.pointerId);
      pick(i);
    });
    node.addEventListener("pointerenter", (event) => event.buttons === 1 && chosen && extend(i));
    node.addEventListener("click", (event) => event.detail === 0 && pick(i)); // from the keyboard
    return node;
  });
  line.append(...nodes);
  const name = chooser("Slot of the chosen words", "Mark as …", slots, slotName);
  name.addEventListener("change", () => {
    const [from, to] = chosen;
    const mark = { name: name.value, start: words[from].start, end: words[to].end };
    marks = [...marks.filter((each) => !overlaps(each, mark)), mark].sort((a, b) => a.start - b.start);
    chosen = null;
    show();
  });
  const found = el("div", "ov-editor-marks");
  const hint = el("span", "ov-muted");
  const save = el("button", "ov-button primary");
  save.type = "button";
  save.addEventListener("click", () => {
    save.disabled = true;
    onSave(select.value, marks);
  });
  select.addEventListener("change", show);
  const marking = el("div", "ov-toolbar");
  marking.append(name, hint);
  root.append(el("h3", "ov-heading", "What was meant"), select, line, marking, found, save, history(turn.labels));

  // The first word chosen begins a range, the second ends it; a word that is marked stands for its whole slot.
  function pick(i) {
    const mark = marks.find((each) => overlaps(each, words[i]));
    if (mark) chosen = [words.findIndex((word) => word.end > mark.start), words.findLastIndex((word) => word.start < mark.end)];
    else if (chosen && chosen[0] === chosen[1] && chosen[0] !== i) return extend(i);
    else if (chosen && chosen[0] === i && chosen[1] === i) chosen = null;
    else chosen = [i, i];
    show();
  }

  function extend(i) {
    chosen = [Math.min(chosen[0], i), Math.max(chosen[1], i)];
    show();
  }

  function show() {
    nodes.forEach((node, i) => {
      const mark = marks.find((each) => overlaps(each, words[i]));
      const picked = Boolean(chosen) && i >= chosen[0] && i <= chosen[1];
      node.classList.toggle("marked", Boolean(mark));
      node.classList.toggle("picked", picked);
      node.setAttribute("aria-pressed", String(picked));
      node.title = mark ? slotName(mark.name) : "";
    });
    name.disabled = !chosen;
    const same = chosen && marks.find((each) => each.start === words[chosen[0]].start && each.end === words[chosen[1]].end);
    name.value = same ? same.name : "";
    setText(hint, chosen ? "" : "Choose the first and the last word of a slot, then say what it is.");
    found.replaceChildren(
      ...marks.map((mark) => {
        const node = el("span", "ov-slot");
        node.append(el("span", "ov-slot-name", slotName(mark.name)), el("span", "", [...turn.user_text].slice(mark.start, mark.end).join("")));
        const remove = button("ov-slot-remove", icon("close"), `Take the slot ${slotName(mark.name)} off`, () => {
          marks = marks.filter((each) => each !== mark);
          show();
        });
        node.append(remove);
        return node;
      }),
    );
    const changed = select.value !== first.intent || JSON.stringify(marks) !== JSON.stringify(first.marks);
    setText(save, changed ? "Save the correction" : "It is right as it is");
    save.disabled = !select.value;
  }

  show();
  return root;
}

const place = ({ name, start, end }) => ({ name, start, end });
const overlaps = (a, b) => a.start < b.end && b.start < a.end;

// The words of a text; offsets count code points, as Python counts characters.
function tokens(text) {
  const found = [];
  for (const match of text.matchAll(TOKEN)) {
    const start = [...text.slice(0, match.index)].length;
    found.push({ text: match[0], start, end: start + [...match[0]].length });
  }
  return found;
}

function chooser(title, empty, values, named) {
  const node = el("select", "ov-select");
  node.setAttribute("aria-label", title);
  const none = el("option", "", empty);
  none.value = "";
  none.disabled = true;
  node.append(
    none,
    ...values.map((value) => {
      const option = el("option", "", named(value));
      option.value = value;
      return option;
    }),
  );
  return node;
}

function history(labels) {
  const node = el("div", "ov-editor-history");
  if (!labels.length) return node;
  const list = el("ol");
  for (const label of labels.toReversed()) {
    const slots = label.slots.map((slot) => `${slotName(slot.name)} “${slot.text}”`).join(", ");
    const when = new Date(label.at).toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    list.append(el("li", "", `${label.reviewer}, ${when}: ${intentName(label.intent)}${slots ? ` with ${slots}` : ", no slots"}`));
  }
  node.append(el("span", "", labels.length > 1 ? "Corrections so far; the first of these counts" : "Reviewed"), list);
  return node;
}
