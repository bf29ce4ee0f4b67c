// What an agent should not forget on a call: ticked off by what was said, or by hand.
import { el, setText } from "./dom.js";

/** `names` in their order; `onTick(name, on)` is told what was ticked by hand. */
export function reminderList({ names, onTick }) {
  const root = el("section", "ov-panel ov-reminders");
  root.setAttribute("aria-label", "Reminders");
  const count = el("span", "ov-muted");
  const head = el("div", "ov-panel-head");
  head.append(el("h3", "ov-heading", "Reminders"), el("span", "ov-grow"), count);
  const bar = el("div", "ov-progress");
  bar.setAttribute("role", "progressbar");
  bar.setAttribute("aria-label", "Reminders done");
  bar.setAttribute("aria-valuemin", "0");
  bar.setAttribute("aria-valuemax", String(names.length));
  const fill = el("span", "ov-progress-fill");
  bar.append(fill);
  const list = el("ul", "ov-reminder-rows");
  root.append(head, bar, list);
  root.hidden = !names.length;

  let heard = new Set(); // ticked by what was said
  let byHand = {}; // name -> on
  const rows = new Map(
    names.map((name) => {
      const row = el("li", "ov-reminder");
      const box = el("input");
      box.type = "checkbox";
      box.addEventListener("change", () => {
        byHand = { ...byHand, [name]: box.checked };
        onTick(byHand);
        draw();
      });
      const label = el("label", "ov-reminder-label");
      const how = el("span", "ov-muted");
      label.append(box, el("span", "", name));
      row.append(label, how);
      list.append(row);
      return [name, { row, box, how }];
    }),
  );

  function draw() {
    let done = 0;
    for (const [name, { row, box, how }] of rows) {
      const on = byHand[name] ?? heard.has(name);
      done += on;
      box.checked = on;
      row.classList.toggle("done", on);
      setText(how, on ? (byHand[name] === undefined ? "said" : "by hand") : "");
    }
    setText(count, `${done} of ${names.length}`);
    fill.style.width = `${(100 * done) / Math.max(1, names.length)}%`;
    bar.setAttribute("aria-valuenow", String(done));
  }
  draw();

  return {
    root,
    /** Another call: `said` are the names that were heard so far, `ticks` what was ticked by hand. */
    start(said, ticks) {
      heard = new Set(said);
      byHand = ticks;
      draw();
    },
    /** These were just said. */
    hear(said) {
      for (const name of said) heard.add(name);
      if (said.length) draw();
    },
  };
}
