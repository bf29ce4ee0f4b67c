// The sound of one sentence: its part of the call's file, with a breath before and after.
import { button, el, icon, setText } from "./dom.js";

const BREATH_S = 0.25;

export function clip() {
  const audio = new Audio();
  audio.preload = "auto";
  let from = 0;
  let to = 0;
  let frame = 0;
  const play = button("ov-button", icon("play"), "Play the sentence (Space)", toggle);
  const bar = el("div", "ov-clip-bar");
  const filled = el("div", "ov-clip-filled");
  bar.append(filled);
  const notice = el("span", "ov-muted");
  const root = el("div", "ov-clip");
  root.append(play, bar, notice);

  function begin() {
    audio.currentTime = from;
    audio.play().catch((error) => {
      if (error.name !== "AbortError") setText(notice, "The browser could not play the sound");
    });
  }

  function toggle() {
    if (audio.paused) begin();
    else audio.pause();
  }

  function run() {
    filled.style.width = `${Math.min(100, (100 * (audio.currentTime - from)) / (to - from))}%`;
    if (audio.currentTime >= to) audio.pause();
    frame = audio.paused ? 0 : requestAnimationFrame(run);
  }

  audio.addEventListener("play", () => {
    play.replaceChildren(icon("pause"));
    root.dataset.plays = "true"; // what tests and styles look at
    frame ||= requestAnimationFrame(run);
  });
  audio.addEventListener("pause", () => {
    play.replaceChildren(icon("play"));
    root.dataset.plays = "false";
  });
  // A tab in the background draws no frames, and must not play on into the next sentence.
  audio.addEventListener("timeupdate", () => audio.currentTime >= to && audio.pause());

  return {
    root,
    /** Another sentence; `address` is that of its call's file, which is fetched only where the sentence has sound. */
    set({ call, sentence, sound }, address) {
      audio.pause();
      filled.style.width = "0";
      setText(notice, "");
      from = Math.max(0, sentence.start_s - BREATH_S);
      to = Math.min(call.duration_s || Infinity, sentence.end_s + BREATH_S);
      // A ticket is new each time: the same call keeps the file that is loaded.
      if (!sound) audio.removeAttribute("src");
      else if (audio.dataset.call !== call.id) audio.src = address;
      audio.dataset.call = sound ? call.id : "";
    },
    play: begin,
    toggle,
    stop: () => audio.pause(),
  };
}
