// Alerts, the newest first, one of them chosen: R and W say right or wrong, O opens its call, J and K choose another.
import { button, el, isTyping, setText, timeOfDay } from "./dom.js";

const SIGNS = { critical: "!!", warning: "!", info: "i" };
export const SEVERITY_WORDS = { critical: "Critical", warning: "Warning", info: "Info" };
export const severitySign = (severity) => SIGNS[severity] ?? "!";

/** `onJudge(alert, verdict)` and `onOpen(alert)` are told what the person wants; `few` rows stand before "show all". */
export function alertList({ name = "Alerts", few, onJudge, onOpen }) {
  const root = el("section", "ov-alerts");
  root.setAttribute("aria-label", "Alerts");
  const title = el("h3", "ov-heading", name);
  const open = el("span", "ov-muted");
  const keys = el("span", "ov-alert-keys");
  for (const [key, meaning] of [["R", "right"], ["W", "wrong"], ["O", "open"], ["J K", "choose"]]) {
    keys.append(el("kbd", "", key), meaning);
  }
  const more = button("ov-button small", "", "Show all alerts", () => {
    all = !all;
    draw();
  });
  const head = el("div", "ov-toolbar");
  head.append(title, open, el("span", "ov-grow"), keys, more);
  const list = el("ol", "ov-alert-rows");
  list.setAttribute("aria-live", "polite");
  root.append(head, list);

  let alerts = []; // newest first
  let chosen = null; // id
  let byHand = false; // a person chose it, and new alerts must not take the choice away
  let all = false;
  const rows = new Map(); // id -> {node, show}

  function draw() {
    const shown = all ? alerts : alerts.slice(0, few);
    const unjudged = alerts.filter((alert) => !alert.verdict);
    if (!byHand || !alerts.some((alert) => alert.id === chosen)) {
      chosen = unjudged[0]?.id ?? alerts[0]?.id ?? null;
      byHand = false;
    }
    root.hidden = !alerts.length;
    setText(open, unjudged.length ? `${unjudged.length} to judge` : "all judged");
    more.hidden = alerts.length <= few;
    setText(more, all ? "Show fewer" : `Show all ${alerts.length}`);
    for (const [id, row] of rows) {
      if (shown.some((alert) => alert.id === id)) continue;
      row.node.remove();
      rows.delete(id);
    }
    shown.forEach((alert, place) => {
      let row = rows.get(alert.id);
      if (!row) rows.set(alert.id, (row = makeRow(alert.id)));
      row.show(alert);
      if (list.children[place] !== row.node) list.insertBefore(row.node, list.children[place] ?? null);
    });
  }

  function makeRow(id) {
    const node = el("li", "ov-alert");
    node.dataset.alert = id;
    const mark = el("span", "ov-alarm");
    const rule = el("strong", "ov-alert-rule");
    const said = el("span", "ov-alert-said");
    const who = el("span", "ov-alert-who ov-muted");
    const time = el("time", "ov-muted");
    const right = button("ov-button small", "Right", "Right (R)", (event) => judge(event, "right"));
    const wrong = button("ov-button small", "Wrong", "Wrong (W)", (event) => judge(event, "wrong"));
    const acts = el("div", "ov-alert-acts");
    acts.append(right, wrong, button("ov-button small", "Open", "Open the call (O)", () => onOpen(current)));
    node.append(mark, rule, said, who, time, acts);
    node.addEventListener("click", () => choose(id));
    let current = null;
    function judge(event, verdict) {
      event.stopPropagation();
      onJudge(current, verdict);
    }
    return {
      node,
      show(alert) {
        current = alert;
        node.classList.toggle("chosen", alert.id === chosen);
        node.classList.toggle("judged", Boolean(alert.verdict));
        mark.className = `ov-alarm ${alert.severity}`;
        setText(mark, severitySign(alert.severity));
        mark.title = SEVERITY_WORDS[alert.severity] ?? "";
        setText(rule, alert.rule);
        setText(said, alert.message);
        const names = [alert.customer ?? "Unknown caller", alert.agent && `with ${alert.agent}`, alert.queue];
        setText(who, names.filter(Boolean).join(" · "));
        setText(time, timeOfDay(alert.at_ms));
        for (const [node, verdict] of [[right, "right"], [wrong, "wrong"]]) {
          node.setAttribute("aria-pressed", String(alert.verdict === verdict));
        }
      },
    };
  }

  function choose(id) {
    chosen = id;
    byHand = true;
    draw();
  }

  function step(by) {
    const shown = all ? alerts : alerts.slice(0, few);
    const place = shown.findIndex((alert) => alert.id === chosen) + by;
    if (!shown[place]) return;
    choose(shown[place].id);
    rows.get(chosen)?.node.scrollIntoView({ block: "nearest" });
  }

  const acts = {
    r: (alert) => onJudge(alert, "right"),
    w: (alert) => onJudge(alert, "wrong"),
    o: (alert) => onOpen(alert),
    j: () => step(1),
    k: () => step(-1),
  };
  function onKey(event) {
    const act = acts[event.key.toLowerCase()];
    const alert = alerts.find((each) => each.id === chosen);
    if (!act || !alert || isTyping(event) || !root.isConnected) return;
    event.preventDefault();
    act(alert);
  }
  document.addEventListener("keydown", onKey);
  draw();

  return {
    root,
    /** All alerts to show, newest first. */
    set(list) {
      alerts = list;
      draw();
    },
    /** A verdict was given: the next one that nobody judged is chosen. */
    next() {
      byHand = false;
      draw();
    },
    stop: () => document.removeEventListener("keydown", onKey),
  };
}
