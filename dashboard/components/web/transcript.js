// The sentences of a call: click to hear, search, open one for its probabilities and to correct its sentiment.
import { button, clock, el, icon, setText } from "./dom.js";
import { LABELS, chip, lateMark, wordOf } from "./mood.js";
import { partialRow } from "./spoken_list.js";

export function transcript({ labels, onPlay, onCorrect }) {
  const root = el("section", "ov-script");
  const search = el("input", "ov-input");
  search.type = "search";
  search.placeholder = "Search in this call";
  search.setAttribute("aria-label", "Search in this call");
  const matches = el("span", "ov-muted");
  const previous = button("ov-button icon", icon("up"), "Previous match", () => step(-1));
  const next = button("ov-button icon", icon("down"), "Next match", () => step(1));
  const followBox = el("input");
  followBox.type = "checkbox";
  followBox.checked = true;
  const follow = el("label", "ov-follow");
  follow.append(followBox, "Follow");
  const bar = el("div", "ov-toolbar");
  bar.append(el("h3", "ov-heading", "Transcript"), el("span", "ov-grow"), matches, previous, next, search, follow);
  const list = el("ol", "ov-rows");
  root.append(bar, list);

  const rows = []; // by place; {sentence, node, corrected}
  let partials = []; // what is being said, below all
  let corrections = {};
  let active = -1;
  let found = [];
  let foundAt = -1;

  function makeRow(sentence) {
    const node = el("li", `ov-row ${sentence.speaker}`);
    node.dataset.index = sentence.index;
    const time = button("ov-row-time", clock(sentence.start_s), `Play from ${clock(sentence.start_s)}`, play);
    const who = el("span", "ov-row-who", { agent: "Agent", customer: "Customer" }[sentence.speaker] ?? "Speaker");
    const text = el("p", "ov-row-text", sentence.text);
    const mood = chip();
    mood.setLabel(sentence.label, sentence.label ? `${wordOf(sentence.label)} ${share(sentence)}` : "Not rated");
    mood.root.title = sentence.scores ? describe(sentence) : "no sentiment was computed";
    const opinion = chip();
    opinion.root.classList.add("corrected");
    const moods = el("div", "ov-row-moods");
    moods.append(lateMark(sentence.late_s), mood.root, opinion.root);
    const more = button("ov-more", icon("more"), "Probabilities and correction", (event) => {
      event.stopPropagation();
      toggle();
    });
    more.setAttribute("aria-expanded", "false");
    node.append(time, who, text, moods, more);
    node.addEventListener("click", (event) => {
      if (String(getSelection()) || event.target.closest(".ov-details")) return;
      play(event);
    });
    const row = { sentence, node, text, opinion, details: null };

    function play(event) {
      event.stopPropagation();
      onPlay(sentence);
    }
    function toggle() {
      if (row.details) row.details.root.remove();
      row.details = row.details ? null : details(row);
      if (row.details) node.append(row.details.root);
      more.setAttribute("aria-expanded", String(Boolean(row.details)));
    }
    showCorrection(row);
    return row;
  }

  function details(row) {
    const { sentence } = row;
    const panel = el("div", "ov-details");
    if (sentence.scores) {
      const bars = el("dl", "ov-scores");
      LABELS.forEach((label, i) => {
        const track = el("dd", `ov-score ${label}`);
        const fill = el("span", "ov-score-fill");
        fill.style.width = `${100 * sentence.scores[i]}%`;
        track.append(fill);
        bars.append(el("dt", "", wordOf(label)), track, el("dd", "ov-score-number", `${(100 * sentence.scores[i]).toFixed(1)}%`));
      });
      panel.append(bars);
    }
    const side = el("div", "ov-details-side");
    side.append(el("span", "ov-muted", sentence.model ? `Predicted by ${sentence.model}` : "No prediction"));
    const select = el("select", "ov-select");
    select.setAttribute("aria-label", `Correct the sentiment of sentence ${sentence.index + 1}`);
    const first = el("option", "", "Correct to …");
    first.value = "";
    first.disabled = true;
    select.append(
      first,
      ...labels.map((label) => {
        const option = el("option", "", wordOf(label));
        option.value = label;
        return option;
      }),
    );
    select.value = corrections[sentence.index] ?? "";
    select.addEventListener("change", () => {
      corrections = { ...corrections, [sentence.index]: select.value };
      showCorrection(row);
      onCorrect(sentence, select.value);
    });
    side.append(select);
    panel.append(side);
    return { root: panel, select };
  }

  function showCorrection(row) {
    const value = corrections[row.sentence.index];
    row.opinion.root.hidden = !value;
    if (value) {
      row.opinion.setLabel(value, `Corrected: ${wordOf(value)}`);
      row.opinion.root.classList.add("corrected");
    }
    if (row.details) row.details.select.value = value ?? "";
  }

  function find() {
    const wanted = search.value.trim().toLowerCase();
    found = [];
    rows.forEach((row, place) => {
      const { text } = row.sentence;
      const parts = wanted ? marked(text, wanted) : [];
      if (parts.length > 1) {
        found.push(place);
        row.text.replaceChildren(...parts);
      } else if (row.text.firstElementChild) row.text.textContent = text;
    });
    foundAt = -1;
    previous.disabled = next.disabled = !found.length;
    setText(matches, wanted ? `${found.length || "no"} ${found.length === 1 ? "match" : "matches"}` : "");
  }

  function step(by) {
    if (!found.length) return;
    foundAt = (foundAt + by + found.length) % found.length;
    setText(matches, `${foundAt + 1} of ${found.length}`);
    followBox.checked = false;
    reveal(rows[found[foundAt]].node);
    for (const row of rows) row.node.classList.toggle("current", row === rows[found[foundAt]]);
  }

  // Scrolls the list and never the page.
  function reveal(node, again = true) {
    const top = node.offsetTop - list.clientHeight / 3;
    const far = Math.abs(list.scrollTop - top) > 2 * list.clientHeight;
    const smooth = !far && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    list.scrollTo({ top, behavior: smooth ? "smooth" : "instant" });
    // Rows that were never drawn have guessed heights: after a long jump the place is known better.
    if (far && again) requestAnimationFrame(() => reveal(node, false));
  }

  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") {
      search.value = "";
      find();
      search.blur();
    }
  });
  for (const kind of ["wheel", "touchmove"]) {
    list.addEventListener(kind, () => (followBox.checked = false), { passive: true });
  }
  find();

  return {
    root,
    get following() {
      return followBox.checked;
    },
    focusSearch: () => search.focus(),
    toggleFollow() {
      followBox.checked = !followBox.checked;
      if (followBox.checked && rows[active]) reveal(rows[active].node);
    },
    setCorrections(known) {
      corrections = known;
      rows.forEach(showCorrection);
    },
    /** Adds what is new of `sentences` (all of them, in order). */
    extend(sentences) {
      const fresh = sentences.slice(rows.length).map(makeRow);
      rows.push(...fresh);
      list.append(...fresh.map((row) => row.node), ...partials);
      if (search.value) find();
    },
    /** These sentences came late: [index, seconds]. */
    setLate(late) {
      for (const [index, seconds] of late) {
        const row = rows.find(({ sentence }) => sentence.index === index);
        if (row && !row.node.querySelector(".ov-late")) row.node.querySelector(".ov-row-moods").prepend(lateMark(seconds));
      }
    },
    /** What is being said now: {speaker, text} for each channel on which somebody speaks. */
    setPartials(speaking) {
      for (const node of partials) node.remove();
      partials = speaking.map(({ speaker, text }) =>
        partialRow(`ov-row ${speaker}`, { agent: "Agent", customer: "Customer" }[speaker] ?? "Speaker", text),
      );
      list.append(...partials);
    },
    /** Scrolls to the end, as one follows a call that is going on. */
    showNewest() {
      if (followBox.checked) list.scrollTo({ top: list.scrollHeight });
    },
    /** Highlights the sentence that is being heard. */
    setTime(seconds) {
      let place = -1;
      for (let low = 0, high = rows.length - 1; low <= high; ) {
        const middle = (low + high) >> 1;
        if (rows[middle].sentence.start_s <= seconds + 0.05) {
          place = middle;
          low = middle + 1;
        } else high = middle - 1;
      }
      if (place === active) return;
      rows[active]?.node.classList.remove("active");
      rows[active]?.node.removeAttribute("aria-current");
      active = place;
      if (!rows[active]) return;
      rows[active].node.classList.add("active");
      rows[active].node.setAttribute("aria-current", "true");
      if (followBox.checked) reveal(rows[active].node);
    },
    /** The sentence `by` places away from the one being heard. */
    neighbour: (by) => rows[Math.min(Math.max(active + by, 0), rows.length - 1)]?.sentence,
    sentence: (place) => rows[place]?.sentence,
  };
}

// The text cut into strings and, for each place where `wanted` (in lower case) occurs, an element that marks it.
function marked(text, wanted) {
  const parts = [];
  const lower = text.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), el("mark", "", text.slice(at, at + wanted.length)));
    from = at + wanted.length;
  }
  return [...parts, text.slice(from)];
}

const share = (sentence) => `${Math.round(100 * Math.max(...sentence.scores))}%`;
const describe = (sentence) =>
  `${LABELS.map((label, i) => `${wordOf(label)} ${(100 * sentence.scores[i]).toFixed(1)}%`).join(", ")} · ${sentence.model}`;
