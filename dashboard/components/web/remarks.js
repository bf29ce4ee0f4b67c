// Notes, flags and alerts of one call: the form to write one, and the list of all of them in the order of the call.
import { severitySign, SEVERITY_WORDS } from "./alert_list.js";
import { button, clock, el, setText } from "./dom.js";

/** `onAdd({at_s, text, flagged})` gets what was written; `onSeek(t)` a click on a row; `now()` is where the call stands. */
export function remarks({ onAdd, onSeek, now }) {
  const form = el("form", "ov-note-form");
  form.hidden = true;
  const place = el("span", "ov-muted");
  const text = el("input", "ov-input");
  text.setAttribute("aria-label", "Note");
  text.placeholder = "What should be remembered here?";
  text.maxLength = 1000;
  const save = el("button", "ov-button", "Save note");
  save.type = "submit";
  form.append(place, text, save, button("ov-button", "Cancel", "Cancel the note", close));
  const rows = el("ol", "ov-remarks");
  const panel = el("section", "ov-speaker");
  panel.append(el("strong", "", "Notes and alerts"), rows);
  let notes = [];
  let alerts = [];
  let at = 0;

  function open() {
    at = now();
    setText(place, `At ${clock(at)}`);
    form.hidden = false;
    text.focus();
  }

  function close() {
    form.hidden = true;
    text.value = "";
  }

  function add(note) {
    if (notes.some((known) => same(known, note))) return;
    notes = [...notes, note];
    draw();
  }

  function draw() {
    const all = [
      ...notes.map((note) => ({ ...note, sign: note.flagged ? "⚑" : "✎", kind: "", words: note.text || "Flagged" })),
      ...alerts.map((alert) => ({
        ...alert,
        sign: severitySign(alert.severity),
        kind: alert.severity,
        words: `${alert.rule}: ${alert.message}`,
        author: { right: "judged right", wrong: "judged wrong" }[alert.verdict] ?? SEVERITY_WORDS[alert.severity],
      })),
    ].sort((a, b) => a.at_s - b.at_s);
    panel.hidden = !all.length;
    rows.replaceChildren(
      ...all.map((each) => {
        const row = el("li", "ov-remark");
        const sign = el("span", `ov-alarm ${each.kind}`, each.sign);
        const body = el("div", "ov-remark-text", each.words);
        body.append(el("div", "ov-muted", each.author));
        row.append(sign, button("ov-row-time", clock(each.at_s), `Go to ${clock(each.at_s)}`, () => onSeek(each.at_s)), body);
        return row;
      }),
    );
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const note = { at_s: at, text: text.value.trim(), flagged: false };
    if (!note.text) return;
    onAdd(note);
    add({ ...note, author: "you" });
    close();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  draw();

  return {
    form,
    panel,
    open,
    add,
    /** Flags the call where it stands. */
    flag() {
      const note = { at_s: now(), text: "", flagged: true };
      onAdd(note);
      add({ ...note, author: "you" });
    },
    /** All notes and alerts, as the server has them; alerts carry `at_s` too. */
    set(allNotes, allAlerts) {
      notes = allNotes;
      alerts = allAlerts;
      draw();
    },
    /** One more alert, or one with its verdict. */
    alert(alert) {
      alerts = [...alerts.filter((known) => known.id !== alert.id), alert];
      draw();
    },
    get marks() {
      return [
        ...notes.map((note) => ({ at_s: note.at_s, kind: note.flagged ? "flag" : "note", title: note.text || "Flagged" })),
        ...alerts.map((alert) => ({ at_s: alert.at_s, kind: alert.severity, title: alert.rule })),
      ];
    },
  };
}

const same = (a, b) => Math.abs(a.at_s - b.at_s) < 0.001 && a.text === b.text && a.flagged === b.flagged;
