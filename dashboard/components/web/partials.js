// What is being said right now and is not final yet, by call and channel. No elements here.

const STALE_MS = 10000; // nobody takes so long to the next guess: the final one, or the line, was lost

export class Partials {
  #texts = new Map(); // "call channel" -> {call, channel, text, at}

  /** Takes the rows of a message in; returns the ids of their calls. */
  hear(rows) {
    for (const [call, channel, text] of rows) {
      if (text) this.#texts.set(`${call} ${channel}`, { call, channel, text, at: Date.now() });
      else this.#texts.delete(`${call} ${channel}`);
    }
    return [...new Set(rows.map(([call]) => call))];
  }

  /** A sentence is final: what was being said there is over. */
  final(entry) {
    this.#texts.delete(`${entry.call_id} ${entry.channel}`);
  }

  /** What is being said on a call, by channel. */
  of(call) {
    return [...this.#texts.values()].filter((each) => each.call === call).sort((a, b) => a.channel - b.channel);
  }

  /** The newest of what is being said on a call, "" where nobody speaks. */
  newest(call) {
    return this.of(call).reduce((last, each) => (each.at >= (last?.at ?? 0) ? each : last), null)?.text ?? "";
  }

  /** Drops what has not moved for a while, or everything that `gone(call)` says; returns the ids of the calls. */
  forget(gone = () => false) {
    const since = Date.now() - STALE_MS;
    const old = [...this.#texts].filter(([, each]) => each.at < since || gone(each.call));
    for (const [key] of old) this.#texts.delete(key);
    return old.map(([, each]) => each.call);
  }
}
