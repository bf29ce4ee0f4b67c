// The call along time: waveform of each channel, feeling of each sentence, a ruler; a click or drag seeks.
import { clock, el } from "./dom.js";

const LANE = 44;
const MOODS = 44;
const RULER = 20;
const BAR = 3; // pixels of a bar with its gap
const SHORTEST_VIEW_S = 5;
const QUIETEST_FULL = 32;
const PIN = 4; // half the width of a pin
const PIN_COLOURS = { note: "primary", flag: "primary", critical: "negative", warning: "warning", info: "muted" };
const TICKS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

export function timeline({ onSeek }) {
  const root = el("div", "ov-timeline");
  const names = el("div", "ov-lanes");
  const canvas = el("canvas", "ov-canvas");
  canvas.setAttribute("role", "slider");
  canvas.setAttribute("aria-label", "Position in the call");
  canvas.tabIndex = 0;
  names.title = "Up is positive, down is negative; the agent's sentences are paler";
  root.append(names, canvas);
  name([]);
  const pen = canvas.getContext("2d");

  let channels = []; // Uint8Array of peaks per channel
  let perSecond = 50;
  let sentences = [];
  let marks = []; // {at_s, kind: note, flag or a severity, title}
  let duration = 0;
  let time = 0;
  let view = { from: 0, to: 1 };
  let hover = null;
  let colours = null;
  let full = 255; // the peak that fills a lane
  let columns = null; // the loudest peak per bar and channel for this view and width

  const height = () => (channels.length ? channels.length * LANE : 0) + MOODS + RULER;
  const width = () => canvas.clientWidth;
  const toX = (t) => ((t - view.from) / (view.to - view.from)) * width();
  const toTime = (x) => view.from + (x / width()) * (view.to - view.from);

  function name(lanes) {
    names.replaceChildren(...[...lanes, "Feeling"].map((title) => el("span", "", title)));
  }

  function layout() {
    const scale = window.devicePixelRatio || 1;
    canvas.style.height = `${height()}px`;
    canvas.width = Math.round(width() * scale);
    canvas.height = Math.round(height() * scale);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    columns = null;
    draw();
  }

  function draw() {
    if (!width()) return;
    colours ??= readColours(root);
    pen.clearRect(0, 0, width(), height());
    drawLanes();
    drawMoods(channels.length * LANE);
    drawRuler(height() - RULER);
    drawMarks();
    if (hover !== null) line(toX(hover), colours.muted, 1);
    line(toX(time), colours.primary, 2);
  }

  function drawLanes() {
    const played = toX(time);
    columns ??= channels.map(loudest);
    columns.forEach((bars, lane) => {
      const middle = lane * LANE + LANE / 2;
      bars.forEach((peak, i) => {
        const x = i * BAR;
        const tall = Math.max(2, (peak / full) * (LANE - 12));
        pen.fillStyle = x < played ? colours.primary : colours.wave;
        pen.fillRect(x, middle - tall / 2, BAR - 1, tall);
      });
    });
  }

  function loudest(peaks) {
    const bars = Math.ceil(width() / BAR);
    const out = new Uint8Array(bars);
    for (let i = 0; i < bars; i++) {
      const from = Math.max(0, Math.floor(toTime(i * BAR) * perSecond));
      const to = Math.min(peaks.length, Math.max(from + 1, Math.floor(toTime((i + 1) * BAR) * perSecond)));
      let most = 0;
      for (let k = from; k < to; k++) if (peaks[k] > most) most = peaks[k];
      out[i] = most;
    }
    return out;
  }

  // Up is positive, down is negative, as far as it is sure; the agent's are paler, because the customer's count.
  function drawMoods(top) {
    const middle = top + MOODS / 2;
    pen.fillStyle = colours.line;
    pen.fillRect(0, middle, width(), 1);
    for (const sentence of sentences) {
      if (sentence.polarity === null || sentence.end_s < view.from || sentence.start_s > view.to) continue;
      const x = toX(sentence.start_s);
      const wide = Math.max(2, toX(sentence.end_s) - x - 1);
      const tall = Math.max(3, Math.abs(sentence.polarity) * (MOODS / 2 - 4));
      pen.globalAlpha = sentence.speaker === "agent" ? 0.4 : 1;
      pen.fillStyle = colours[sentence.label];
      const y = sentence.label === "neutral" ? middle - 1 : sentence.polarity < 0 ? middle + 1 : middle - tall;
      pen.fillRect(x, y, wide, sentence.label === "neutral" ? 3 : tall);
    }
    pen.globalAlpha = 1;
  }

  function drawRuler(top) {
    const span = view.to - view.from;
    const step = TICKS_S.find((s) => (s / span) * width() >= 70) ?? 7200;
    pen.fillStyle = colours.muted;
    pen.font = `11px ${getComputedStyle(root).fontFamily}`;
    pen.textBaseline = "middle";
    for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
      const x = toX(t);
      pen.fillRect(x, top + 1, 1, 4);
      pen.textAlign = x < 16 ? "left" : x > width() - 20 ? "right" : "center";
      pen.fillText(clock(t), x, top + 13);
    }
  }

  // A pin at the top for each note, flag and alert, over everything else.
  function drawMarks() {
    for (const mark of marks) {
      const x = toX(mark.at_s);
      if (x < -PIN || x > width() + PIN) continue;
      pen.fillStyle = colours[PIN_COLOURS[mark.kind]] ?? colours.muted;
      pen.globalAlpha = 0.45;
      pen.fillRect(x - 0.5, 0, 1, height() - RULER);
      pen.globalAlpha = 1;
      pen.beginPath();
      if (mark.kind === "flag" || mark.kind === "note") pen.rect(x - PIN, 0, 2 * PIN, 2 * PIN);
      else {
        pen.moveTo(x - PIN, 0);
        pen.lineTo(x + PIN, 0);
        pen.lineTo(x, 2 * PIN);
      }
      pen.fill();
    }
  }

  function line(x, colour, thick) {
    if (x < -1 || x > width() + 1) return;
    pen.fillStyle = colour;
    pen.fillRect(Math.min(Math.max(x - thick / 2, 0), width() - thick), 0, thick, height() - RULER + 2);
  }

  function show(from, to) {
    const span = Math.min(Math.max(to - from, Math.min(SHORTEST_VIEW_S, duration)), duration) || 1;
    const start = Math.min(Math.max(0, from), Math.max(0, duration - span));
    view = { from: start, to: start + span };
    columns = null;
    draw();
  }

  function at(event) {
    const x = event.clientX - canvas.getBoundingClientRect().left;
    return Math.min(Math.max(0, toTime(x)), duration);
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    onSeek(at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    hover = at(event);
    const near = marks.filter((mark) => Math.abs(toX(mark.at_s) - toX(hover)) <= 2 * PIN);
    canvas.title = [clock(hover), ...near.map((mark) => mark.title)].join("\n");
    if (canvas.hasPointerCapture(event.pointerId)) onSeek(hover);
    draw();
  });
  canvas.addEventListener("pointerleave", () => {
    hover = null;
    draw();
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      const span = view.to - view.from;
      if (event.ctrlKey) zoom(event.deltaY < 0 ? 0.8 : 1.25, at(event));
      else if (span < duration && Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = (event.deltaX / width()) * span;
        show(view.from + by, view.to + by);
      } else return;
      event.preventDefault();
    },
    { passive: false },
  );
  const resizing = new ResizeObserver(layout);
  resizing.observe(canvas);

  function zoom(factor, around = time) {
    const span = (view.to - view.from) * factor;
    const place = (around - view.from) / (view.to - view.from);
    show(around - place * span, around + (1 - place) * span);
  }

  return {
    root,
    zoom,
    get zoomed() {
      return view.to - view.from < duration - 0.01;
    },
    /** The outlines of the channels, `rate` bytes a second, and what the lanes are called. */
    setPeaks(outlines, rate, titles) {
      channels = outlines;
      perSecond = rate;
      // Quiet recordings fill their lanes too; near silence stays near silence.
      full = Math.max(QUIETEST_FULL, ...outlines.map((outline) => outline.reduce((most, peak) => Math.max(most, peak), 0)));
      name(titles);
      layout();
    },
    setSentences(list) {
      sentences = list;
      draw();
    },
    /** Notes, flags and alerts, as {at_s, kind, title}. */
    setMarks(list) {
      marks = list;
      draw();
    },
    setDuration(seconds) {
      const whole = view.to >= duration - 0.01 || duration === 0;
      duration = seconds;
      canvas.setAttribute("aria-valuemin", "0");
      canvas.setAttribute("aria-valuemax", seconds.toFixed(1));
      show(whole ? 0 : view.from, whole ? seconds : view.to);
    },
    setTime(seconds, following) {
      time = seconds;
      canvas.setAttribute("aria-valuenow", seconds.toFixed(1));
      canvas.setAttribute("aria-valuetext", clock(seconds));
      const span = view.to - view.from;
      if (following && (time > view.to || time < view.from)) show(time - span * 0.1, time + span * 0.9);
      else draw();
    },
    /** The theme changed. */
    repaint() {
      colours = null;
      draw();
    },
    stop: () => resizing.disconnect(),
  };
}

function readColours(node) {
  const style = getComputedStyle(node);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    primary: read("--st-primary-color"),
    wave: `color-mix(in srgb, ${read("--st-gray-color")} 60%, ${read("--st-secondary-background-color")})`,
    line: read("--st-border-color"),
    muted: read("--st-gray-color"),
    warning: read("--st-yellow-color"),
    negative: read("--st-red-color"),
    neutral: read("--st-gray-color"),
    positive: read("--st-green-color"),
  };
}
