// How a feeling is shown: a colour together with a sign and a word, because colour alone is not enough.
import { el, setText, svg } from "./dom.js";

export const LABELS = ["negative", "neutral", "positive"];
const SIGNS = { negative: "▼", neutral: "●", positive: "▲" };
const WORDS = { negative: "Negative", neutral: "Neutral", positive: "Positive" };
// A mean between these is called neutral, as in the store (MOOD_EDGE), whose filter must find what the page shows.
const NEUTRAL_BAND = 0.1;

/** The label of a mean polarity; "none" where there is nothing to average. */
export function labelOf(polarity) {
  if (polarity === null || polarity === undefined) return "none";
  if (polarity < -NEUTRAL_BAND) return "negative";
  return polarity > NEUTRAL_BAND ? "positive" : "neutral";
}

export const signOf = (label) => SIGNS[label] ?? "·";
export const wordOf = (label) => WORDS[label] ?? "Not rated";

/** A polarity with its sign: +0.42, −0.10. */
export function signed(polarity) {
  const text = Math.abs(polarity).toFixed(2);
  return polarity < -0.004 ? `−${text}` : polarity > 0.004 ? `+${text}` : text;
}

/** A small coloured label; setMood(polarity) shows a mean, setLabel(label, detail) a class. */
export function chip() {
  const root = el("span", "ov-chip none");
  const sign = el("span", "ov-chip-sign", "·");
  sign.setAttribute("aria-hidden", "true");
  const text = el("span", "", "Not rated");
  root.append(sign, text);
  const set = (label, words) => {
    root.className = `ov-chip ${label}`;
    setText(sign, signOf(label));
    setText(text, words);
  };
  return {
    root,
    setMood(polarity) {
      const label = labelOf(polarity);
      set(label, label === "none" ? "Not rated" : `${signed(polarity)} ${wordOf(label)}`);
    },
    setLabel: (label, words = wordOf(label)) => set(label ?? "none", words),
  };
}

/** A mark of a sentence that was understood only so many seconds after it was said; nothing where it was not late. */
export function lateMark(seconds) {
  if (!seconds) return "";
  const node = el("span", "ov-late", `${Math.round(seconds)} s late`);
  node.title = "Understood so long after it was said: the recogniser had too much to do, or was away";
  return node;
}

/** A line of polarities (-1..1) over a zero line; draw(points) replaces it. */
export function sparkline(width, height) {
  const root = svg("svg", {
    class: "ov-spark",
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  const middle = height / 2;
  const zero = svg("line", { x1: 0, x2: width, y1: middle, y2: middle, class: "ov-spark-zero" });
  const area = svg("path", { class: "ov-spark-area" });
  const line = svg("path", { class: "ov-spark-line", "vector-effect": "non-scaling-stroke" });
  root.append(zero, area, line);
  return {
    root,
    draw(points) {
      root.classList.toggle("empty", points.length < 2);
      if (points.length < 2) {
        area.removeAttribute("d");
        line.removeAttribute("d");
        return;
      }
      const step = width / (points.length - 1);
      const at = (point) => (middle - point * (middle - 2)).toFixed(1);
      const path = points.map((point, i) => `${i ? "L" : "M"}${(i * step).toFixed(1)} ${at(point)}`).join("");
      line.setAttribute("d", path);
      area.setAttribute("d", `${path}L${width} ${middle}L0 ${middle}Z`);
    },
  };
}
