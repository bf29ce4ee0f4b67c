// One call: sound, waveform, feeling and transcript move together; everything but a correction stays in the browser.
import { callSound } from "./call_sound.js";
import { button, clock, el, icon, isTyping, percent, setText, tile } from "./dom.js";
import { chip, labelOf, LABELS, signed, signOf, wordOf } from "./mood.js";
import { paintClock } from "./paint_clock.js";
import { Partials } from "./partials.js";
import { remarks } from "./remarks.js";
import { keepOpen } from "./socket.js";
import { timeline } from "./timeline.js";
import { transcript } from "./transcript.js";

const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
const JUMP_S = 5;
const KEYS = [
  ["Space", "play or pause"],
  ["← →", "5 seconds back or on"],
  ["J K", "next or previous sentence"],
  ["< >", "slower or faster"],
  ["/", "search"],
  ["F", "follow the sound"],
  ["N", "write a note here"],
  ["M", "flag this moment"],
  ["L", "listen in, while it is live"],
];

export function mount(component) {
  let latest = component;
  let call = null;
  let sentences = [];
  let socket = null;
  let duration = 0;
  let frame = 0;
  let stopped = false;
  const partials = new Partials();
  const { call_id, labels } = component.data;
  const root = component.parentElement.querySelector(".ov-player");
  root.tabIndex = -1;

  const audio = new Audio();
  audio.preload = "metadata";
  const tiles = {
    length: tile("Length"),
    mood: tile("Customer's mood"),
    lowest: tile("Lowest point"),
    negative: tile("Negative sentences"),
    talk: tile("Customer talks"),
  };
  const strip = el("div", "ov-tiles");
  strip.append(...Object.values(tiles).map((each) => each.root));
  const playButton = button("ov-button primary", icon("play"), "Play or pause", toggle);
  const position = el("span", "ov-position", "0:00");
  const notice = el("span", "ov-muted ov-notice");
  const listen = button("ov-button", "Listen in", "Listen in (L)", () => sound.listenIn());
  listen.hidden = true;
  const speed = el("select", "ov-select");
  speed.setAttribute("aria-label", "Speed");
  speed.append(
    ...SPEEDS.map((rate) => {
      const option = el("option", "", `${rate}×`);
      option.value = rate;
      return option;
    }),
  );
  speed.value = "1";
  speed.addEventListener("change", () => (audio.playbackRate = Number(speed.value)));
  const line = timeline({ onSeek: (t) => seek(t) });
  const script = transcript({
    labels,
    onPlay: (sentence) => seek(sentence.start_s, true),
    onCorrect: (sentence, value) => latest.setTriggerValue("corrected", { index: sentence.index, value }),
  });
  const sound = callSound(audio, {
    address: (part) => address(part),
    isLive: () => call?.status === "live",
    onOutline: showOutline,
    onNone: () => setText(notice, call.status === "live" ? "No sound yet" : "No sound is kept for this call"),
  });
  // A call that goes on stands at its end, unless somebody listens to an earlier part.
  const here = () => (call?.status === "live" && audio.paused ? duration : audio.currentTime);
  const noted = remarks({
    onAdd: (note) => latest.setTriggerValue("noted", note),
    onSeek: (t) => seek(t),
    now: here,
  });
  const controls = el("div", "ov-toolbar");
  controls.append(
    playButton,
    listen,
    position,
    notice,
    el("span", "ov-grow"),
    button("ov-button", "Note", "Write a note here (N)", () => noted.open()),
    button("ov-button", "Flag", "Flag this moment (M)", flag),
    speed,
    button("ov-button icon", icon("minus"), "Zoom out", () => line.zoom(2)),
    button("ov-button icon", icon("plus"), "Zoom in", () => line.zoom(0.5)),
  );
  const stage = el("div", "ov-stage");
  stage.append(controls, noted.form, line.root);
  const speakers = el("aside", "ov-speakers");
  const below = el("div", "ov-below");
  below.append(script.root, speakers);
  const failure = el("div", "ov-banner");
  failure.hidden = true;
  failure.setAttribute("role", "status");
  root.replaceChildren(failure, strip, stage, below);

  const address = (part) => `/api/calls/${encodeURIComponent(call_id)}${part}?ticket=${encodeURIComponent(latest.data.ticket)}`;

  async function load() {
    const answer = await fetch(address("")).catch(() => null);
    if (stopped) return;
    if (!answer?.ok) {
      fail(answer ? (await answer.text()).trim() : "The server does not answer.");
      if (answer?.status === 403) latest.setTriggerValue("ticket_wanted", Date.now());
      return;
    }
    fail("");
    const content = await answer.json();
    call = content.call;
    sentences = mergeByIndex(content.sentences, sentences);
    script.setCorrections(Object.fromEntries(Object.entries(content.corrections)));
    script.extend(sentences);
    remember(content);
    lengthen(call.duration_s);
    facts();
    if (call.status === "live") {
      script.showNewest();
      // Subscribed first, read second: what was said in between comes over the socket and is merged by index.
      socket ??= keepOpen({
        path: "/api/live",
        query: { call: call_id },
        ticket: () => latest.data.ticket,
        onMessage: hear,
        onState: (now) => fail(now === "open" ? "" : "Connection lost; trying again."),
        onTicketRefused: () => latest.setTriggerValue("ticket_wanted", Date.now()),
      });
    }
    playButton.disabled = speed.disabled = true;
    await sound.load();
  }

  function showOutline(content, headers) {
    playButton.disabled = speed.disabled = false;
    listen.hidden = call.status !== "live";
    setText(notice, "");
    const count = Number(headers.get("x-channels"));
    const each = content.length / count;
    const outlines = Array.from({ length: count }, (_, i) => content.subarray(i * each, (i + 1) * each));
    const titles = count > 1 ? call.speakers.slice(0, 2).map(roleName) : [""];
    lengthen(Math.max(duration, Number(headers.get("x-duration-s"))));
    line.setPeaks(outlines, Number(headers.get("x-peaks-per-s")), titles);
  }

  // An alert stands where its sentence ends; silence and the like, where the call was at that moment.
  function placed(alert) {
    const said = sentences.find((sentence) => sentence.index === alert.index);
    return { ...alert, at_s: said?.end_s ?? Math.max(0, (alert.at_ms - call.started_ms) / 1000) };
  }

  function remember(content) {
    noted.set(content.notes, content.alerts.map(placed));
    line.setMarks(noted.marks);
  }

  function flag() {
    noted.flag();
    line.setMarks(noted.marks);
  }

  function hear(message) {
    if (message.kind === "pong") paints.pong(message);
    if (message.kind === "partials") {
      partials.hear(message.rows);
      speaking();
      script.showNewest();
      return;
    }
    if (message.kind === "late") {
      script.setLate(message.rows.map(([, index, seconds]) => [index, seconds]));
      return;
    }
    if (message.kind === "snapshot") {
      paints.opened();
      refetch(); // what was said before the socket was open
      return;
    }
    for (const event of message.events ?? []) {
      if (event.note) noted.add(event.note);
      if (event.alert) noted.alert(placed(event.alert));
    }
    line.setMarks(noted.marks);
    const fresh = (message.events ?? []).map((event) => event.entry).filter(Boolean);
    if (fresh.length) {
      fresh.forEach((entry) => partials.final(entry));
      speaking();
      sentences = mergeByIndex(sentences, fresh);
      script.extend(sentences);
      script.showNewest();
      requestAnimationFrame(() => paints.painted(fresh));
      lengthen(Math.max(duration, ...fresh.map((entry) => entry.end_s)));
      facts();
    }
    if ((message.events ?? []).some((event) => event.card?.ended_ms)) ended();
  }

  function speaking() {
    partials.forget(() => call.status !== "live");
    script.setPartials(partials.of(call_id).map((each) => ({ ...each, speaker: call.speakers[each.channel - 1] })));
  }

  async function refetch() {
    const answer = await fetch(address("")).catch(() => null);
    if (!answer?.ok || stopped) return;
    const content = await answer.json();
    sentences = mergeByIndex(content.sentences, sentences);
    script.extend(sentences);
    remember(content);
    lengthen(Math.max(duration, content.call.duration_s));
    facts();
    if (content.call.status !== "live") ended();
  }

  function ended() {
    socket?.stop();
    socket = null;
    call = { ...call, status: "complete" };
    speaking();
    facts();
    latest.setTriggerValue("ended", Date.now());
    listen.hidden = true;
    sound.load();
  }

  function lengthen(seconds) {
    duration = Math.max(seconds, sentences.at(-1)?.end_s ?? 0);
    line.setDuration(duration);
    line.setSentences(sentences);
  }

  function facts() {
    const rated = sentences.filter((s) => s.polarity !== null);
    const own = rated.filter((s) => s.speaker === "customer");
    const counted = own.length ? own : rated;
    const mood = mean(counted);
    const label = labelOf(mood);
    const worst = counted.reduce((low, s) => (low === null || s.polarity < low.polarity ? s : low), null);
    const negative = rated.filter((s) => s.label === "negative").length;
    const talk = (role) => sentences.filter((s) => s.speaker === role).reduce((sum, s) => sum + s.end_s - s.start_s, 0);
    const [agent, customer] = [talk("agent"), talk("customer")];
    tiles.length.set(clock(duration), call.status === "live" ? "● live, growing" : `${sentences.length} sentences`);
    tiles.mood.set(mood === null ? "–" : `${signOf(label)} ${signed(mood)}`, mood === null ? "not rated" : wordOf(label), label);
    const low = worst && worst.polarity < 0;
    tiles.lowest.set(low ? clock(worst.start_s) : "–", low ? worst.text : "nothing below zero", low ? "negative" : "");
    tiles.lowest.root.classList.toggle("link", Boolean(low));
    tiles.lowest.root.onclick = low ? () => seek(worst.start_s, true) : null;
    tiles.negative.set(percent(negative, rated.length), `${negative} of ${rated.length}`);
    tiles.talk.set(percent(customer, agent + customer), `${clock(customer)} of ${clock(agent + customer)} spoken`);
    speakers.replaceChildren(...call.speakers.map((role, i) => speakerCard(role, i + 1)), noted.panel, keys());
    setText(position, `${clock(audio.currentTime)} / ${clock(duration)}`);
  }

  function speakerCard(role, channel) {
    const own = sentences.filter((s) => s.channel === channel);
    const card = el("section", "ov-speaker");
    const name = { agent: call.agent, customer: call.customer }[role];
    const mood = chip();
    mood.setMood(mean(own.filter((s) => s.polarity !== null)));
    const head = el("div", "ov-speaker-head");
    head.append(el("strong", "", name ?? roleName(role)), mood.root);
    const talked = own.reduce((sum, s) => sum + s.end_s - s.start_s, 0);
    const counts = LABELS.map((label) => own.filter((s) => s.label === label).length);
    const bar = el("div", "ov-shares");
    counts.forEach((n, i) => {
      if (!n) return;
      const part = el("div", `ov-share ${LABELS[i]}`);
      part.style.flexGrow = String(n);
      bar.append(part);
    });
    const count = el("div", "ov-speaker-counts");
    count.append(...LABELS.map((label, i) => el("span", label, `${signOf(label)} ${counts[i]}`)));
    const words = own.reduce((sum, s) => sum + s.text.split(/\s+/).length, 0);
    const pace = talked > 5 ? ` · ${Math.round(words / (talked / 60))} words a minute` : "";
    card.append(
      head,
      el("div", "ov-muted", `${name ? `${roleName(role)} · ` : ""}talks ${clock(talked)}${pace}`),
      bar,
      count,
    );
    return card;
  }

  function seek(t, andPlay = false) {
    const to = Math.min(Math.max(0, t), duration);
    if (audio.src) {
      if (!sound.reach(to)) audio.currentTime = to;
      if (andPlay) play();
    }
    show(to);
  }

  function play() {
    audio.play().catch((error) => {
      if (error.name !== "AbortError") setText(notice, "The browser could not play the sound");
    });
  }

  function toggle() {
    if (!audio.src) return;
    if (audio.paused) play();
    else audio.pause();
  }

  function show(t) {
    line.setTime(t, script.following);
    script.setTime(t);
    setText(position, `${clock(t)} / ${clock(duration)}`);
  }

  function run() {
    show(audio.currentTime);
    frame = audio.paused ? 0 : requestAnimationFrame(run);
  }

  audio.addEventListener("play", () => {
    playButton.replaceChildren(icon("pause"));
    if (!frame) frame = requestAnimationFrame(run);
  });
  audio.addEventListener("pause", () => playButton.replaceChildren(icon("play")));
  audio.addEventListener("loadedmetadata", () => lengthen(Math.max(duration, audio.duration)));
  audio.addEventListener("error", () => {
    // An hour-old ticket is refused: a new one comes with the next data (see update).
    if (audio.src && audio.error?.code !== MediaError.MEDIA_ERR_ABORTED) latest.setTriggerValue("ticket_wanted", Date.now());
  });

  const shortcuts = {
    " ": toggle,
    ArrowLeft: () => seek(audio.currentTime - JUMP_S),
    ArrowRight: () => seek(audio.currentTime + JUMP_S),
    j: () => hop(1),
    k: () => hop(-1),
    "<": () => faster(-1),
    ">": () => faster(1),
    "/": () => script.focusSearch(),
    f: () => script.toggleFollow(),
    n: () => noted.open(),
    m: flag,
    l: () => call?.status === "live" && sound.listenIn(),
  };
  const hop = (by) => {
    const sentence = script.neighbour(by);
    if (sentence) seek(sentence.start_s, !audio.paused);
  };
  const faster = (by) => {
    const place = SPEEDS.indexOf(audio.playbackRate) + by;
    if (!SPEEDS[place]) return;
    audio.playbackRate = SPEEDS[place];
    speed.value = String(SPEEDS[place]);
  };
  function onKey(event) {
    if (isTyping(event) || (event.key === " " && event.target instanceof HTMLButtonElement)) return;
    const act = shortcuts[event.key] ?? shortcuts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  }
  document.addEventListener("keydown", onKey);

  function fail(text) {
    failure.hidden = !text;
    setText(failure, text);
  }

  const paints = paintClock((text) => socket?.send(text) ?? false);
  const fading = setInterval(() => socket && speaking(), 2000);
  load();
  return {
    update(component) {
      const renewed = component.data.ticket !== latest.data.ticket;
      latest = component;
      line.repaint();
      socket?.hurry();
      if (!call && renewed) load();
      else if (audio.error) sound.renew();
    },
    stop() {
      stopped = true;
      clearInterval(fading);
      sound.stop();
      paints.stop();
      document.removeEventListener("keydown", onKey);
      cancelAnimationFrame(frame);
      audio.pause();
      audio.removeAttribute("src");
      line.stop();
      socket?.stop();
    },
  };
}

const mean = (list) => (list.length ? list.reduce((sum, s) => sum + s.polarity, 0) / list.length : null);
const roleName = (role) => ({ agent: "Agent", customer: "Customer" })[role] ?? "Speaker";

function mergeByIndex(known, more) {
  const all = new Map(known.map((sentence) => [sentence.index, sentence]));
  for (const sentence of more) if (!all.has(sentence.index)) all.set(sentence.index, sentence);
  return [...all.values()].sort((a, b) => a.index - b.index);
}

function keys() {
  const node = el("section", "ov-keys");
  const rows = el("dl");
  for (const [key, meaning] of KEYS) rows.append(el("dt", "", key), el("dd", "", meaning));
  node.append(el("strong", "", "Keyboard"), rows);
  return node;
}
