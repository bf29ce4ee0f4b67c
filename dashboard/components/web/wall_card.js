// One call on the live wall.
import { severitySign, SEVERITY_WORDS } from "./alert_list.js";
import { clock, el, setText, span } from "./dom.js";
import { chip, labelOf, sparkline } from "./mood.js";

export const nameOf = (card) => card.customer ?? "Unknown caller";
const callAddress = (id) => `call?call=${encodeURIComponent(id)}`;

/** The card of the call `id`; `open(id)` is called for a click. `tick` moves its clock, `show` draws a changed card. */
export function cardView(id, state, open) {
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
  const alarm = el("span", "ov-alarm");
  const flag = el("span", "ov-flag", "⚑");
  flag.title = "Flagged";
  const head = el("div", "ov-card-head");
  head.append(name, flag, alarm, el("span", "ov-grow"), time);
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
    setText(sub, `${[card.agent ?? "No agent", card.queue].filter(Boolean).join(" · ")}${phase === "silent" ? ` · silent for ${span(silent)}` : ""}`);
  }
  return {
    root: node,
    tick: tickView,
    /** `speaking` is what is being said right now; it stands where the last sentence does. */
    show(card, now, speaking = "") {
      if (!card) return;
      tickView(card, now);
      setText(said, speaking || (card.last ? card.last.text : "Nothing said yet"));
      said.classList.toggle("partial", Boolean(speaking));
      said.classList.toggle("none", !card.last && !speaking);
      if (drawn === card) return;
      drawn = card;
      const label = labelOf(card.mood);
      node.dataset.mood = label;
      setText(name, nameOf(card));
      mood.setMood(card.mood);
      spark.root.dataset.mood = label;
      spark.draw(card.trend);
      flag.hidden = !card.flagged;
      alarm.hidden = !card.alarm;
      alarm.className = `ov-alarm ${card.alarm ?? ""}`;
      node.dataset.alarm = card.alarm ?? "";
      setText(alarm, `${severitySign(card.alarm)}${card.alerts > 1 ? ` ${card.alerts}` : ""}`);
      alarm.title = card.alarm ? `${SEVERITY_WORDS[card.alarm]}: ${card.alerts} alert${card.alerts > 1 ? "s" : ""}` : "";
    },
  };
}
