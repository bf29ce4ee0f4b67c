// Judging sentences one at a time. What a person does shows at once; it reaches the store in its order behind that.
import { clip } from "./clip.js";
import { button, clock, el, isTyping, setText } from "./dom.js";
import { LABELS, chip, signOf, wordOf } from "./mood.js";

const FEW_LEFT = 4; // from here on more is fetched
const SHOWN_ANSWERS = 5;
const RETRY_MS = 2000;
const ROLES = { agent: "Agent", customer: "Customer" };
const VERBS = { skip: "Skipped", ask: "Passed on" };

// Outlives a visit to another page: what was done in this tab, the newest last, and by whom.
const session = { reviewer: "", acts: [] }; // acts: {kind, item, value}

export function mount(component) {
  let latest = component;
  let items = []; // what is to be judged, the first one is shown
  let asked = "";
  let exhausted = false;
  let loaded = false;
  let stopped = false;
  let shown = null;
  let sending = Promise.resolve(); // one request after the other
  const root = component.parentElement.querySelector(".ov-review");
  root.tabIndex = -1;

  const trouble = el("div", "ov-banner");
  trouble.hidden = true;
  trouble.setAttribute("role", "status");
  const progress = el("div", "ov-toolbar");
  const counts = el("span", "ov-review-counts");
  counts.setAttribute("aria-live", "polite");
  progress.append(counts, el("span", "ov-grow"), keyHints());
  const card = el("section", "ov-review-card");
  card.setAttribute("aria-label", "Sentence to judge");
  const done = el("section", "ov-review-done");
  done.setAttribute("aria-label", "Your last answers");
  root.replaceChildren(trouble, progress, card, done);
  const sound = clip();

  const answers = el("div", "ov-review-answers");
  LABELS.forEach((label, i) => {
    const node = button(`ov-review-answer ${label}`, el("span", "ov-chip-sign", signOf(label)), `${wordOf(label)} (${i + 1})`, () => answer(label));
    node.append(el("span", "", wordOf(label)), el("kbd", "", String(i + 1)));
    answers.append(node);
  });
  const others = el("div", "ov-toolbar");
  const undoButton = keyed("Undo", "U", undo);
  others.append(keyed("Second opinion", "O", () => pass("ask")), keyed("Skip", "S", () => pass("skip")), el("span", "ov-grow"), undoButton);

  function keyed(name, key, act) {
    const node = button("ov-button", el("span", "", name), `${name} (${key})`, act);
    node.append(el("kbd", "", key));
    return node;
  }

  // --- what a person does

  function answer(value) {
    if (items.length) did("label", value);
  }

  function pass(kind) {
    if (items.length) did(kind);
  }

  function did(kind, value = null) {
    const item = items.shift();
    session.acts.push({ kind, item, value });
    if (kind !== "skip") send({ kind, ...place(item), value });
    draw();
    if (items.length <= FEW_LEFT && !exhausted) refill();
  }

  function undo() {
    const last = session.acts.pop();
    if (!last) return;
    items.unshift(last.item);
    if (last.kind !== "skip") send({ kind: `un${last.kind}`, ...place(last.item) });
    draw();
  }

  // --- to and from the server

  async function post(part, content) {
    const { path, ticket } = latest.data;
    return fetch(`${path}/${part}?ticket=${encodeURIComponent(ticket)}`, { method: "POST", body: JSON.stringify(content) }).catch(() => null);
  }

  /** The answer to a request, asked again until there is one: nothing that a person did is dropped. */
  async function insist(part, content) {
    for (;;) {
      const reply = await post(part, content);
      if (reply?.ok) {
        setTrouble("");
        return reply;
      }
      if (reply?.status === 403) latest.setTriggerValue("ticket_wanted", Date.now());
      else if (reply && reply.status < 500) {
        setTrouble((await reply.text()).trim());
        return null;
      }
      if (stopped) return null;
      setTrouble("The last answers are not stored yet; trying again.");
      await new Promise((resume) => setTimeout(resume, RETRY_MS));
    }
  }

  function send(act) {
    const reviewer = session.reviewer;
    waiting(1);
    sending = sending.then(() => insist("acts", { ...act, reviewer })).then(() => waiting(-1));
  }

  // After all that was sent before it, so that what was just judged does not come again.
  function refill() {
    const wanted = asked;
    sending = sending.then(async () => {
      if (stopped || wanted !== asked || (loaded && items.length > FEW_LEFT)) return;
      const passed = [...items, ...session.acts.filter((act) => act.kind === "skip").map((act) => act.item)];
      const reply = await insist("queue", { ...latest.data.asked, passed: passed.map((item) => [item.call.id, item.sentence.index]) });
      if (!reply || wanted !== asked) return;
      const fresh = (await reply.json()).items;
      // What was judged or fetched while this was on its way.
      const known = new Set([...items, ...session.acts.map((act) => act.item)].map(key));
      fresh.forEach((item) => known.has(key(item)) || items.push(item));
      exhausted = !fresh.length;
      loaded = true;
      draw();
    });
  }

  function waiting(more) {
    root.dataset.waiting = String(Number(root.dataset.waiting ?? 0) + more); // answers that are not stored yet
  }

  function setTrouble(text) {
    setText(trouble, text);
    trouble.hidden = !text;
  }

  // --- what is shown

  function draw() {
    const number = (kind) => session.acts.filter((act) => act.kind === kind).length;
    const parts = [`${number("label")} labelled`];
    if (number("skip")) parts.push(`${number("skip")} skipped`);
    if (number("ask")) parts.push(`${number("ask")} passed on`);
    setText(counts, `${parts.join(" · ")} in this session`);
    undoButton.disabled = !session.acts.length;
    const item = items[0];
    if (!item) {
      shown = null;
      sound.stop();
      card.replaceChildren(exhausted ? nothingLeft() : fetching(), others);
    } else if (shown !== item) {
      shown = item;
      sound.set(item, address(item));
      card.replaceChildren(...sentenceCard(item));
      if (latest.data.autoplay && item.sound) sound.play();
    }
    done.replaceChildren(...session.acts.slice(-SHOWN_ANSWERS).reverse().map(answered));
    done.hidden = !session.acts.length;
  }

  function sentenceCard(item) {
    const { call, sentence } = item;
    const head = el("div", "ov-toolbar ov-review-head");
    head.append(el("strong", "", speaker(item)), el("span", "ov-muted", where(item)), el("span", "ov-grow"));
    if (item.asked_by) head.append(el("span", "ov-chip asked", `${item.asked_by} asks for a second opinion`));
    const link = el("a", "ov-review-link", "Open the call");
    link.href = `/call?call=${encodeURIComponent(call.id)}`;
    link.target = "_blank";
    head.append(link);
    const text = el("blockquote", "ov-review-text", sentence.text);
    const nodes = [head, context(item.before, "The call begins"), text, context(item.after, "The call ends")];
    const listen = el("div", "ov-toolbar ov-review-sound");
    if (item.sound) listen.append(sound.root);
    else listen.append(el("span", "ov-muted", "No sound is kept for this call"));
    nodes.push(listen);
    if (latest.data.hints) nodes.push(opinions(item));
    nodes.push(answers, others);
    return nodes;
  }

  function fetching() {
    const node = el("div", "ov-empty");
    node.append(el("span", "ov-muted", "Looking for sentences to judge …"));
    return node;
  }

  function nothingLeft() {
    const node = el("div", "ov-empty");
    node.append(el("strong", "", "Nothing is left to judge"));
    node.append(
      latest.data.asked.order === "disagreed"
        ? "No two models or reviewers contradict each other. Let a second model score the sentences on the Models page, or judge the least certain ones."
        : "Take filters off, skip less, or come back when there are new calls.",
    );
    return node;
  }

  function answered({ kind, item, value }) {
    const node = el("div", "ov-review-row");
    const mine = chip();
    mine.setLabel(value, value ? wordOf(value) : VERBS[kind]);
    node.append(mine.root, el("span", "ov-review-said", item.sentence.text), kind === "label" ? opinions(item) : el("span"));
    return node;
  }

  function opinions(item) {
    const node = el("div", "ov-review-opinions");
    for (const opinion of item.opinions) {
      const one = chip();
      one.setLabel(opinion.label, `${wordOf(opinion.label)} ${Math.round(100 * opinion.score)}%`);
      one.root.title = opinion.model;
      node.append(el("span", "ov-muted", opinion.model), one.root);
    }
    for (const label of item.labels) {
      const one = chip();
      one.setLabel(label.value);
      node.append(el("span", "ov-muted", label.reviewer), one.root);
    }
    return node;
  }

  function onKey(event) {
    if (isTyping(event) || event.repeat || !root.isConnected) return;
    const act = keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    // A button that has the focus would be pressed by the space bar too.
    if (document.activeElement?.closest?.(".ov-review")) root.focus({ preventScroll: true });
    act();
  }
  const keys = {
    1: () => answer("negative"),
    2: () => answer("neutral"),
    3: () => answer("positive"),
    s: () => pass("skip"),
    o: () => pass("ask"),
    u: undo,
    " ": () => shown?.sound && sound.toggle(),
  };
  document.addEventListener("keydown", onKey);

  function take() {
    const { asked: wanted } = latest.data;
    if (session.reviewer !== wanted.reviewer) {
      session.reviewer = wanted.reviewer;
      session.acts = [];
    }
    const now = JSON.stringify(wanted);
    if (now !== asked) {
      asked = now;
      items = [];
      exhausted = loaded = false;
      refill();
    }
    shown = null; // settings may have changed
    draw();
  }

  take();
  return {
    update(component) {
      latest = component;
      take();
    },
    stop() {
      stopped = true;
      sound.stop();
      document.removeEventListener("keydown", onKey);
    },
  };
}

const key = (item) => `${item.call.id} ${item.sentence.index}`;
const place = (item) => ({ call_id: item.call.id, index: item.sentence.index });
const address = (item) => `/api/calls/${encodeURIComponent(item.call.id)}/audio.wav?ticket=${encodeURIComponent(item.ticket)}`;

function speaker({ call, sentence }) {
  const name = { agent: call.agent, customer: call.customer }[sentence.speaker];
  const role = ROLES[sentence.speaker] ?? "Speaker";
  return name ? `${role} · ${name}` : role;
}

function where({ call, sentence }) {
  const day = new Date(call.started_ms).toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" });
  return `${day}, at ${clock(sentence.start_s)}`;
}

function context(near, none) {
  const node = el("p", "ov-review-context");
  if (near) node.append(el("span", "ov-review-who", ROLES[near.speaker] ?? "Speaker"), el("span", "", near.text));
  else node.append(el("span", "ov-review-who", ""), el("span", "", none));
  return node;
}

function keyHints() {
  const node = el("span", "ov-alert-keys");
  for (const [name, meaning] of [["1 2 3", "answer"], ["Space", "listen"], ["U", "undo"], ["S", "skip"], ["O", "second opinion"]]) {
    node.append(el("kbd", "", name), meaning);
  }
  return node;
}
