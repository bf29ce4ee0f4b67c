// The assistant: a conversation by voice or in writing. What is heard and said goes through one socket.
import { assistantLog } from "./assistant_log.js";
import { button, el, icon, isTyping, setText } from "./dom.js";
import { loudspeaker } from "./loudspeaker.js";
import { microphone } from "./microphone.js";
import { microphonePanel } from "./microphone_panel.js";
import { keepOpen } from "./socket.js";

const RATE_HZ = 16000;
const MOST_WAITING_BYTES = 64000; // 2 s of sound: a line that lags further loses frames
const LONGEST_TEXT = 2000;
const REFUSED = 4403;
const LOUD = 0.15; // of full scale: a voice that fills the meter
const STORED_CHOICE = "overtone.assistant";

export function mount(component) {
  let latest = component;
  const choice = { mode: "open", aloud: null, ...JSON.parse(localStorage.getItem(STORED_CHOICE) ?? "{}") };
  const line = { connected: false, started: false, conversation: "", speech: true };
  const now = { speech: false, waiting: false, held: false, aloud: choice.aloud ?? false, turn: -1, talking: null, saying: false };
  const spokenUntil = new Map(); // turn -> when the person fell silent, on the page's clock
  let lastSpoken = null;

  const root = component.parentElement.querySelector(".ov-assistant");
  root.tabIndex = -1;
  const banner = el("div", "ov-banner");
  banner.setAttribute("role", "status");
  banner.hidden = true;
  const log = assistantLog({ examples: component.data.examples, onExample: write });
  const archive = button("ov-button", "Open in the archive", "Open in the archive", () =>
    latest.setTriggerValue("opened", line.conversation),
  );
  archive.hidden = true;
  const anew = button("ov-button", "New conversation", "New conversation", begin);
  const bar = el("div", "ov-toolbar");
  bar.append(el("h3", "ov-heading", "Conversation"), el("span", "ov-grow"), archive, anew);
  const box = el("input", "ov-input");
  box.placeholder = "Type a question";
  box.maxLength = LONGEST_TEXT;
  box.autocomplete = "off";
  box.setAttribute("aria-label", "Your words");
  const send = button("ov-button send", icon("send"), "Send", () => {});
  send.type = "submit";
  const hush = button("ov-button icon", icon("stop"), "Stop the answer (Esc)", interrupt);
  const form = el("form", "ov-talk-write");
  form.append(box, send, hush);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (box.value.trim() && line.connected) {
      write(box.value.trim());
      box.value = "";
    }
  });
  const talk = el("section", "ov-talk");
  talk.append(bar, log.root, form);
  const panel = microphonePanel({ mode: choice.mode, aloud: now.aloud, onToggle: toggle, onHold: hold, onMode: setMode, onAloud: setAloud });
  const body = el("div", "ov-assistant-body");
  body.append(talk, panel.root);
  root.replaceChildren(banner, body);

  const voice = loudspeaker({
    onChange: () => show(),
    onAudible(turn, at) {
      const end = spokenUntil.get(turn);
      if (end === undefined) return;
      const ms = Math.max(0, Math.round(at - end));
      tell({ type: "heard", turn, ms });
      log.heardAfter(turn, ms);
    },
  });
  const ear = microphone({
    onLevel: (level) => panel.level(Math.min(1, level / LOUD)),
    onFrame(pcm) {
      if (choice.mode === "push" && !now.held) return;
      const kept = socket.send(pcm, MOST_WAITING_BYTES);
      if (line.connected) panel.note(kept ? "" : "The connection is too slow for your voice: some of it was lost.", "slow");
    },
    onLost(text, suspended) {
      // A browser that takes the microphone away from an open page mostly gives it for as long as a button is held.
      if (suspended && choice.mode === "open") setMode("push");
      panel.note(suspended ? `${text} Hold the button to talk instead.` : text, "lost");
      quiet();
    },
  });
  const socket = keepOpen({
    path: component.data.path,
    ticket: () => latest.data.ticket,
    opens: (message) => message.type === "connected",
    onMessage: receive,
    onBinary(pcm) {
      if (now.talking !== null && now.aloud) voice.play(now.talking, pcm);
    },
    onState: connection,
    onTicketRefused: () => latest.setTriggerValue("ticket_wanted", Date.now()),
  });

  function receive(message) {
    const act = {
      connected() {
        line.speech = message.speech;
        panel.note(message.speech ? "" : "There is no speech service just now. Typing works.", "speech");
      },
      ready() {
        line.conversation = message.conversation;
        voice.begin(message.rate_hz);
        archive.hidden = false;
      },
      speech: () => (now.speech = message.on),
      partial: () => log.partial(message.text),
      heard() {
        lastSpoken = ear.spokenUntil() ?? performance.now();
        now.waiting = Boolean(message.text);
        now.speech = false;
        if (message.text) log.asked(message.text);
        else log.partial("");
      },
      turn() {
        const { turn } = message;
        now.turn = turn.number;
        if (turn.event !== "opened") now.waiting = false;
        if (turn.user_text && lastSpoken !== null) {
          spokenUntil.set(turn.number, lastSpoken);
          lastSpoken = null;
        }
        log.turn(turn);
      },
      say: () => Object.assign(now, { talking: message.turn, saying: true }),
      said: () => (now.saying = false),
      stop: () => hushed(message.turn),
      latency: () => log.latency(message.turn, message.stages),
      ended() {
        quiet();
        log.note("The conversation has ended. Ask something and a new one begins.");
        forget();
        socket.restart();
      },
      error() {
        now.waiting = false;
        log.note(message.message, "problem");
      },
    }[message.type];
    act?.();
    show();
  }

  function connection(state, code, reason) {
    line.connected = state === "open";
    if (!line.connected) {
      quiet();
      voice.silence(now.turn);
      log.partial("");
      if (line.started) log.note("The connection was lost. Ask something and a new conversation begins.", "problem");
      forget();
      banner.replaceChildren(...trouble(code, reason));
    }
    banner.hidden = line.connected;
    show();
  }

  // What belonged to the conversation that is over.
  function forget() {
    Object.assign(line, { started: false, conversation: "" });
    Object.assign(now, { speech: false, waiting: false, talking: null, turn: -1, saying: false });
    spokenUntil.clear();
    lastSpoken = null;
    archive.hidden = true;
    log.begin();
  }

  function tell(message) {
    return socket.send(JSON.stringify(message));
  }

  // The conversation begins with the first thing that a person does, so that looking at the page leaves no trace.
  function start() {
    voice.unlock();
    if (line.started) return;
    line.started = tell({ type: "start", rate_hz: RATE_HZ, person: "", mode: choice.mode, voice: now.aloud });
  }

  function write(text) {
    if (!line.connected) return;
    start();
    hushed(now.turn);
    lastSpoken = null;
    log.asked(text);
    now.waiting = tell({ type: "text", text });
    show();
  }

  function interrupt() {
    if (!isSpeaking()) return;
    hushed(now.turn);
    tell({ type: "interrupt" });
    show();
  }

  // Sound is dropped at once, and what still comes of that answer is not played.
  function hushed(turn) {
    voice.silence(turn);
    now.saying = false;
  }

  // From its first sentence to the last sound, also where the next sentence is late.
  function isSpeaking() {
    return voice.playing || (now.saying && now.aloud);
  }

  function begin() {
    quiet();
    voice.silence(Infinity);
    if (line.started) {
      tell({ type: "end" });
      line.started = false;
      socket.restart();
    }
    forget();
    log.clear();
    panel.note("");
    box.focus();
    show();
  }

  // Opens the microphone; says why where that does not work.
  async function listen() {
    panel.note("");
    try {
      await ear.open();
    } catch (error) {
      panel.note(error.message, "lost");
      return false;
    }
    return ear.isOpen;
  }

  async function toggle() {
    if (ear.isOpen) {
      if (now.speech) tell({ type: "talk", on: false });
      quiet();
    } else {
      speakUp();
      start();
      await listen();
    }
    show();
  }

  // Who speaks wants to hear the answer, unless they have said that they do not.
  function speakUp() {
    if (choice.aloud !== null || now.aloud) return;
    panel.setAloud(true);
    now.aloud = true;
    if (line.started) tell({ type: "aloud", on: true });
  }

  async function hold(down) {
    if (down === now.held || (down && !line.connected)) return;
    now.held = down;
    if (down) {
      speakUp();
      start();
      hushed(now.turn);
      show();
      if (!(await listen()) || !now.held) now.held = false; // let go of while the browser asked for leave
      else tell({ type: "talk", on: true });
    } else if (ear.isOpen) {
      now.speech = false;
      now.waiting = tell({ type: "talk", on: false });
    }
    show();
  }

  function quiet() {
    now.held = now.speech = false;
    ear.close();
  }

  function setMode(mode) {
    if (mode === choice.mode) return;
    quiet();
    keep({ mode });
    if (line.started) tell({ type: "mode", mode });
    panel.setMode(mode);
    show();
  }

  function setAloud(aloud) {
    now.aloud = aloud;
    keep({ aloud });
    if (line.started) tell({ type: "aloud", on: aloud });
    if (aloud) voice.unlock();
    else hushed(now.turn);
  }

  function keep(part) {
    Object.assign(choice, part);
    localStorage.setItem(STORED_CHOICE, JSON.stringify(choice));
  }

  function show() {
    const hearing = now.held || (now.speech && ear.isOpen && choice.mode === "open");
    const phase = hearing
      ? "hearing"
      : isSpeaking()
        ? "speaking"
        : now.waiting
          ? "thinking"
          : ear.isOpen && choice.mode === "open"
            ? "listening"
            : "off";
    panel.show({ phase, open: ear.isOpen && choice.mode === "open", held: now.held, usable: line.connected && line.speech });
    log.speaking(isSpeaking() ? now.talking : null);
    hush.disabled = !isSpeaking();
    send.disabled = !line.connected;
    anew.disabled = log.empty;
    root.dataset.phase = phase;
  }

  const keys = (event) => {
    if (event.key === "Escape") interrupt();
    if (isTyping(event)) return;
    const onButton = event.target instanceof Element && event.target.closest("button, a, summary");
    if (event.key === " " && choice.mode === "push" && (!onButton || panel.root.contains(event.target))) {
      if (onButton && !onButton.classList.contains("ov-mic")) return;
      event.preventDefault();
      if (!event.repeat) hold(event.type === "keydown");
    }
    if (event.type !== "keydown" || event.repeat) return;
    if (event.key === "/") {
      event.preventDefault();
      box.focus();
    }
    if (event.key.toLowerCase() === "m" && choice.mode === "open") toggle();
  };
  const letGo = () => now.held && hold(false);
  document.addEventListener("keydown", keys);
  document.addEventListener("keyup", keys);
  window.addEventListener("blur", letGo);
  show();

  return {
    update(component) {
      latest = component;
      socket.hurry();
    },
    stop() {
      document.removeEventListener("keydown", keys);
      document.removeEventListener("keyup", keys);
      window.removeEventListener("blur", letGo);
      ear.close();
      voice.close();
      if (line.started) tell({ type: "end" });
      socket.stop();
    },
  };
}

function trouble(code, reason) {
  if (code === REFUSED) return [`The assistant cannot be used: ${reason}.`];
  return ["The assistant is not running: start it with ", el("code", "", "overtone up"), ". This page keeps trying."];
}
