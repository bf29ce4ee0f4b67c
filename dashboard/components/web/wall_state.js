// What the wall knows: the calls that are going on, kept current by the socket's messages. No elements here.

const MINUTE_MS = 60000;
const ENDED_STAYS_MS = 30000;
const SILENT_MS = 45000;
const LOST_MS = 300000; // nothing for five minutes: the process that fed the call is probably gone
const FEED_ENTRIES = 40;
const ALERTS = 50;
const LONGEST_CALL_S = 12 * 3600;

export class WallState {
  cards = new Map();
  feed = []; // newest first
  alerts = []; // newest first
  #number = 0;
  #ahead = 0; // the server's clock minus ours
  #recent = new Map(); // call id -> times of its sentences in the last minute

  /** The server's time in milliseconds. */
  now() {
    return Date.now() + this.#ahead;
  }

  load(message) {
    this.#number = message.number;
    this.#ahead = message.now_ms - Date.now();
    this.cards = new Map(message.cards.map((card) => [card.id, card]));
    this.feed = message.feed.toReversed();
    this.#recent = new Map(Object.entries(message.recent));
    this.alerts = message.alerts.toReversed();
  }

  /** The changes that were not known yet, as {id, entry}. */
  apply(message) {
    this.#ahead = message.now_ms - Date.now();
    const changes = [];
    for (const event of message.events) {
      if (event.number <= this.#number) continue; // the snapshot had it already
      this.#number = event.number;
      if (event.removed) {
        // Its sentences and alerts go with the call: whoever deleted it wants them gone.
        this.cards.delete(event.removed);
        this.#recent.delete(event.removed);
        this.feed = this.feed.filter((entry) => entry.call_id !== event.removed);
        this.alerts = this.alerts.filter((alert) => alert.call_id !== event.removed);
        changes.push({ id: event.removed, entry: null });
        continue;
      }
      if (event.alert) {
        const known = this.alerts.some((alert) => alert.id === event.alert.id);
        if (known) this.alerts = this.alerts.map((alert) => (alert.id === event.alert.id ? event.alert : alert));
        else if (!event.judged) this.alerts = [event.alert, ...this.alerts].slice(0, ALERTS);
      }
      if (!event.card) continue; // its call has left the wall
      this.cards.set(event.card.id, event.card);
      if (event.entry) {
        this.feed.unshift(event.entry);
        if (!this.#recent.has(event.card.id)) this.#recent.set(event.card.id, []);
        this.#recent.get(event.card.id).push(event.entry.stored_ms);
      }
      changes.push({ id: event.card.id, entry: event.entry });
    }
    this.feed.length = Math.min(this.feed.length, FEED_ENTRIES);
    return changes;
  }

  /** These sentences came late: [call id, index, seconds]. */
  late(rows) {
    for (const [call, index, seconds] of rows) {
      const entry = this.feed.find((each) => each.call_id === call && each.index === index);
      if (entry) entry.late_s = seconds;
    }
  }

  /** Drops calls that ended a while ago; returns their ids. */
  forget() {
    const since = this.now() - MINUTE_MS;
    for (const [id, times] of this.#recent) {
      while (times.length && times[0] <= since) times.shift();
      if (!times.length) this.#recent.delete(id);
    }
    const gone = [...this.cards.values()].filter((card) => card.ended_ms && card.ended_ms < this.now() - ENDED_STAYS_MS);
    for (const card of gone) this.cards.delete(card.id);
    return gone.map((card) => card.id);
  }

  /** live, silent (nobody spoke for a while), lost (no sign of life) or ended. */
  phase(card) {
    if (card.ended_ms) return "ended";
    const silent = this.now() - card.seen_ms;
    return silent > LOST_MS ? "lost" : silent > SILENT_MS ? "silent" : "live";
  }

  /** Seconds since the call began. */
  elapsed(card) {
    const since = (this.now() - card.started_ms) / 1000;
    // A recording played as a live call may carry its old date: then the end of the last sentence is the better clock.
    if (since >= 0 && since < LONGEST_CALL_S) return since;
    return card.spoken_s + (this.now() - card.seen_ms) / 1000;
  }

  /** Calls in the order of the wall: going on before lost before ended, then worst mood or latest start first. */
  sorted(order) {
    const rank = { live: 0, silent: 0, lost: 1, ended: 2 };
    const key = order === "newest" ? (card) => -card.began_ms : (card) => card.mood ?? 2;
    return [...this.cards.values()].sort(
      (a, b) => rank[this.phase(a)] - rank[this.phase(b)] || key(a) - key(b) || a.began_ms - b.began_ms,
    );
  }

  /** What the calls have as `field` (agent, queue, team), each once. */
  values(field) {
    return [...new Set([...this.cards.values()].map((card) => card[field]).filter(Boolean))];
  }

  /** The figures over the calls that `wanted` lets through. */
  figures(wanted) {
    const sums = { live: 0, lost: 0, pace: 0, sentences: 0, negative: 0, worst: null };
    for (const card of this.cards.values()) {
      if (!wanted(card)) continue;
      sums.pace += this.#recent.get(card.id)?.length ?? 0;
      sums.sentences += card.sentences;
      sums.negative += card.negative;
      const phase = this.phase(card);
      if (phase === "lost") sums.lost += 1;
      if (phase !== "live" && phase !== "silent") continue;
      sums.live += 1;
      if (card.mood !== null && card.mood < (sums.worst?.mood ?? 0)) sums.worst = card;
    }
    return sums;
  }
}
