// A turn in words: what was understood, who answered, how long it took. Shared by the assistant and the archive.
import { el, timeOfDay } from "./dom.js";

// What each stage is called, in the order in which they happen.
const STAGES = {
  wait: "Waiting for the end of speech",
  recognise: "Recognising",
  understand: "Understanding",
  dialog: "Deciding",
  fulfil: "Looking it up",
  speak: "Starting to speak",
};
const SUMS = ["compute", "total"];

/** "weather.rainfall_yes_no" as "weather: rainfall yes/no", "weather.weather" as "weather". */
export function intentName(name) {
  const [domain, rest] = name.split(/\.(.*)/);
  const words = rest === undefined || rest === domain ? domain : `${domain}: ${rest}`;
  return words.replace("_yes_no", " yes/no").replaceAll("_", " ");
}

const SLOTS = { weathertime: "time", "time.period_of_time": "period" };

/** "store.hour.start" as "store hour start". */
export const slotName = (name) => SLOTS[name] ?? name.replaceAll(".", " ").replaceAll("_", " ");

export const share = (score) => `${Math.round(100 * score)}%`;

/** Milliseconds as seconds: 0.35, 1.2, 14. */
export function seconds(milliseconds) {
  const value = milliseconds / 1000;
  return value >= 10 ? String(Math.round(value)) : String(Number(value.toFixed(value >= 1 ? 1 : 2)));
}

/** A slot as a small label; what it was taken to mean is shown where it differs from the words. */
export function slotChip(slot) {
  const node = el("span", "ov-slot");
  node.append(el("span", "ov-slot-name", slotName(slot.name)), el("span", "", slot.text || slot.value));
  if (slot.value && slot.value.toLowerCase() !== slot.text.toLowerCase()) {
    node.append(el("span", "ov-slot-value", `= ${slot.value}`));
  }
  node.title = `${slot.name}: ${slot.value}`;
  return node;
}

/** Who answered and when that was true, as texts, one a source. */
export function sources(actions) {
  const said = actions.filter((action) => action.source).map(sourceLine);
  return [...new Set(said)];
}

function sourceLine(action) {
  if (!action.as_of) return action.source;
  const moment = new Date(action.as_of);
  const today = moment.toDateString() === new Date().toDateString();
  const time = timeOfDay(moment.getTime()).replace(/:\d\d(?=\D*$)/, "");
  return `${action.source}, ${today ? time : `${moment.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time}`}`;
}

/** "answered in 0.6 s: waited 0.35, computed 0.24". */
export function latencyLine(stages) {
  const parts = [];
  if (stages.wait_ms > 0) parts.push(`waited ${seconds(stages.wait_ms)}`);
  if (stages.compute_ms > 0 && stages.wait_ms > 0) parts.push(`computed ${seconds(stages.compute_ms)}`);
  return `answered in ${seconds(stages.total_ms)} s${parts.length ? `: ${parts.join(", ")}` : ""}`;
}

/** The time that each stage took, as a list with bars; `stages` is {name_ms: ms}. */
export function stageList(stages, notes = []) {
  const names = Object.keys(stages).map((name) => name.replace(/_ms$/, ""));
  const order = [...Object.keys(STAGES), ...names.filter((name) => !(name in STAGES) && !SUMS.includes(name))];
  const rows = order.filter((name) => stages[`${name}_ms`] ?? stages[name]).map((name) => [name, stages[`${name}_ms`] ?? stages[name]]);
  const longest = Math.max(1, ...rows.map(([, ms]) => ms));
  const list = el("dl", "ov-stages");
  for (const [name, ms] of rows) {
    const track = el("dd", "ov-stage-track");
    const fill = el("span", "ov-stage-fill");
    fill.style.width = `${Math.max(1, (100 * ms) / longest)}%`;
    track.append(fill);
    list.append(el("dt", "", STAGES[name] ?? name.replaceAll("_", " ")), track, el("dd", "ov-stage-time", `${Math.round(ms) || "<1"} ms`));
  }
  for (const note of notes) list.append(el("dd", "ov-stage-note", note));
  return list;
}
