// The big button, what the assistant is doing right now, and how the microphone is to be used.
import { button, el, icon, setText } from "./dom.js";

const PHASES = {
  off: ["microphone_off", "Microphone off"],
  listening: ["microphone", "Listening"],
  hearing: ["hearing", "Hearing you"],
  thinking: ["more", "Thinking"],
  speaking: ["speaker", "Speaking"],
};
const MODES = [
  ["open", "Open microphone"],
  ["push", "Hold to talk"],
];
const KEYS = {
  open: [
    ["M", "microphone on or off"],
    ["Esc", "stop the answer"],
    ["/", "type"],
  ],
  push: [
    ["Space", "hold to talk"],
    ["Esc", "stop the answer"],
    ["/", "type"],
  ],
};

/** `parts` = {mode, aloud, onToggle(), onHold(down), onMode(mode), onAloud(aloud)}. */
export function microphonePanel({ mode, aloud, onToggle, onHold, onMode, onAloud }) {
  let current = mode;
  let noted = "";
  const big = button("ov-mic", icon("microphone"), "Microphone", () => current === "open" && onToggle());
  const meter = el("span", "ov-mic-level");
  meter.setAttribute("aria-hidden", "true");
  big.prepend(meter);
  big.addEventListener("pointerdown", (event) => {
    if (current !== "push" || event.button !== 0) return;
    big.setPointerCapture(event.pointerId);
    onHold(true);
  });
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) big.addEventListener(kind, () => current === "push" && onHold(false));
  big.addEventListener("contextmenu", (event) => current === "push" && event.preventDefault()); // a long touch

  const sign = el("span", "ov-mic-sign");
  const words = el("span", "", "");
  const state = el("div", "ov-mic-state");
  state.append(sign, words);
  const how = el("p", "ov-muted");
  const note = el("p", "ov-mic-note");
  note.setAttribute("role", "status");
  note.hidden = true;
  const modes = el("div", "ov-segments");
  modes.setAttribute("role", "group");
  modes.setAttribute("aria-label", "How to use the microphone");
  const modeButtons = MODES.map(([name, text]) => {
    const node = button("ov-segment", text, text, () => onMode(name));
    node.dataset.mode = name;
    return node;
  });
  modes.append(...modeButtons);
  const box = el("input");
  box.type = "checkbox";
  box.checked = aloud;
  box.addEventListener("change", () => onAloud(box.checked));
  const loud = el("label", "ov-follow");
  loud.append(box, "Read the answers aloud");
  const card = el("section", "ov-mic-card");
  card.append(big, state, how, note, modes, loud);
  const keys = el("section", "ov-keys");
  const root = el("aside", "ov-talk-side");
  root.append(card, keys);
  setMode(mode);

  function setMode(name) {
    current = name;
    for (const node of modeButtons) node.setAttribute("aria-pressed", String(node.dataset.mode === name));
    const list = el("dl");
    for (const [key, meaning] of KEYS[name]) list.append(el("dt", "", key), el("dd", "", meaning));
    keys.replaceChildren(el("strong", "", "Keyboard"), list);
  }

  return {
    root,
    setMode,
    setAloud: (wanted) => (box.checked = wanted),
    /** How loud the microphone is, 0..1. */
    level: (share) => meter.style.setProperty("--level", share.toFixed(3)),
    /** A line for the person; an empty one takes away what was said `about` the same thing, or everything. */
    note(text, about = "") {
      if (!text && about && about !== noted) return;
      noted = about;
      setText(note, text);
      note.hidden = !text;
    },
    show({ phase, open, held, usable }) {
      const [name, text] = PHASES[phase];
      if (state.dataset.phase !== phase) {
        state.dataset.phase = phase;
        sign.replaceChildren(icon(name));
        setText(words, text);
      }
      const lit = open || held;
      big.dataset.lit = String(lit);
      const wanted = current === "push" ? "Hold to talk" : open ? "Turn the microphone off" : "Turn the microphone on";
      big.setAttribute("aria-label", wanted);
      big.title = wanted;
      if (current === "open") big.setAttribute("aria-pressed", String(open));
      else big.removeAttribute("aria-pressed");
      big.disabled = !usable;
      setText(how, !usable ? "" : current === "push" ? (held ? "Let go when you are done" : "Hold the button or the space bar and speak") : open ? "Just speak. You may interrupt the answer." : "Press it and speak");
    },
  };
}
