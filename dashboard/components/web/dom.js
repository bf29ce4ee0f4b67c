// Elements and texts. Everything that people said reaches the page through textContent, never as HTML.

/** An element with classes and, where given, a text. */
export function el(tag, className = "", text = undefined) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** A button with an accessible name. */
export function button(className, content, name, onClick) {
  const node = el("button", className);
  node.append(content);
  node.type = "button";
  node.setAttribute("aria-label", name);
  node.title = name;
  node.addEventListener("click", onClick);
  return node;
}

/** An SVG element with attributes. */
export function svg(tag, attributes = {}) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}

const ICONS = {
  play: "M8 5.5v13l11-6.5z",
  pause: "M7 5.5h3.5v13H7zM13.5 5.5H17v13h-3.5z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  minus: "M5 11h14v2H5z",
  up: "M12 8.6l5.4 5.4-1.4 1.4-4-4-4 4L6.6 14z",
  down: "M12 15.4l-5.4-5.4 1.4-1.4 4 4 4-4 1.4 1.4z",
  more: "M5 10.5h3v3H5zM10.5 10.5h3v3h-3zM16 10.5h3v3h-3z",
  microphone:
    "M12 15a3.2 3.2 0 0 0 3.2-3.2V5.7a3.2 3.2 0 0 0-6.4 0v6.1A3.2 3.2 0 0 0 12 15z" +
    "M17.5 11.8a5.5 5.5 0 0 1-11 0H4.8a7.2 7.2 0 0 0 6.35 7.14V22h1.7v-3.06a7.2 7.2 0 0 0 6.35-7.14z",
  microphone_off:
    "M12 15a3.2 3.2 0 0 0 3.2-3.2V5.7a3.2 3.2 0 0 0-6.4 0v6.1A3.2 3.2 0 0 0 12 15z" +
    "M17.5 11.8a5.5 5.5 0 0 1-11 0H4.8a7.2 7.2 0 0 0 6.35 7.14V22h1.7v-3.06a7.2 7.2 0 0 0 6.35-7.14z" +
    "M3.1 4.3l16.6 16.6 1.2-1.2L4.3 3.1z",
  hearing: "M3 10h1.8v4H3zM7 7h1.8v10H7zM11.1 3.5h1.8v17h-1.8zM15.2 7H17v10h-1.8zM19.2 10H21v4h-1.8z",
  speaker: "M4 9.3v5.4h3.6L12.2 19V5L7.6 9.3zM14.6 8.2v7.6a4.3 4.3 0 0 0 0-7.6zM14.6 4.6v1.8a6 6 0 0 1 0 11.2v1.8a7.7 7.7 0 0 0 0-14.8z",
  stop: "M7 7h10v10H7z",
  send: "M4 4.6l16.5 7.4L4 19.4v-5.8L14 12 4 10.4z",
  close: "M6.7 5.5L12 10.8l5.3-5.3 1.2 1.2-5.3 5.3 5.3 5.3-1.2 1.2-5.3-5.3-5.3 5.3-1.2-1.2 5.3-5.3-5.3-5.3z",
};

/** A small drawing that takes the colour of its text. */
export function icon(name) {
  const root = svg("svg", { class: "ov-icon", viewBox: "0 0 24 24", width: 18, height: 18, "aria-hidden": "true" });
  root.append(svg("path", { d: ICONS[name] }));
  return root;
}

/** Sets a text only where it differs, so that an unchanged one costs no layout. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Seconds as 4:07 or 1:04:07. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const rest = String(whole % 60).padStart(2, "0");
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** Seconds as words: 45 s, 12 min, 3 h. */
export function span(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

// Made once: asking the viewer's locale anew costs more than drawing the row that the time stands in.
const TIME_OF_DAY = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A time of day, 14:03:22, of UTC milliseconds in the viewer's own zone. */
export function timeOfDay(milliseconds) {
  return TIME_OF_DAY.format(milliseconds);
}

/** A share as a whole percentage, "–" of nothing. */
export function percent(part, whole) {
  return whole ? `${Math.round((100 * part) / whole)}%` : "–";
}

/** A labelled figure with a line of detail below; `set` changes its texts. */
export function tile(label) {
  const root = el("div", "ov-tile");
  const value = el("div", "ov-tile-value", "–");
  const note = el("div", "ov-tile-note", "\u00a0");
  root.append(el("div", "ov-tile-label", label), value, note);
  return {
    root,
    set(text, detail = "", mood = "") {
      setText(value, text);
      setText(note, detail || "\u00a0");
      value.className = `ov-tile-value ${mood}`;
    },
  };
}

/** Whether a key press belongs to a text field or the browser, and not to our shortcuts. */
export function isTyping(event) {
  const target = event.target;
  if (target instanceof HTMLInputElement && target.type === "checkbox" && event.key !== " ") {
    return event.ctrlKey || event.metaKey || event.altKey; // a box that was ticked takes no letters
  }
  return (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    (target instanceof HTMLElement &&
      (target.isContentEditable || ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName)))
  );
}
