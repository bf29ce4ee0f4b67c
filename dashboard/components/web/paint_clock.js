// When sentences were on the screen, told to the server by its own clock: both ends of a socket differ by some offset.

const PING_EVERY_MS = 10000;
const REPORT_EVERY_MS = 1000;
const SAMPLES = 8;
const MOST_WAITING = 1000;

/** `send(text)` returns whether there was an open line. */
export function paintClock(send) {
  let samples = []; // {trip, ahead}: round trip, and the server's clock minus ours
  let waiting = []; // [call id, index, our time]
  let timer = 0;
  const pinging = setInterval(ping, PING_EVERY_MS);

  function ping() {
    send(JSON.stringify({ kind: "ping", sent_ms: Date.now() }));
  }

  // The quickest answer says it best: what it lost on the way is the least.
  const ahead = () => samples.reduce((best, sample) => (sample.trip < best.trip ? sample : best)).ahead;

  function report() {
    timer = 0;
    if (!samples.length || !waiting.length) return;
    const offset = ahead();
    const rows = waiting.map(([call, index, at]) => [call, index, Math.round(at + offset)]);
    if (send(JSON.stringify({ kind: "painted", rows }))) waiting = [];
    else plan();
  }

  function plan() {
    timer ||= setTimeout(report, REPORT_EVERY_MS);
  }

  return {
    /** A new line: its delays are its own. */
    opened() {
      samples = [];
      ping();
    },
    /** The server's answer to a ping. */
    pong(message) {
      const now = Date.now();
      const trip = now - message.sent_ms;
      if (trip < 0) return; // our clock was set back meanwhile
      samples = [...samples.slice(1 - SAMPLES), { trip, ahead: message.now_ms - (message.sent_ms + trip / 2) }];
      if (waiting.length) plan();
    },
    /** Call it in the frame that shows these sentences, as {call_id, index}: they are on the screen just after it. */
    painted(entries) {
      if (!entries.length || document.hidden) return;
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        channel.port1.close();
        const at = Date.now();
        waiting.push(...entries.map((entry) => [entry.call_id, entry.index, at]));
        waiting = waiting.slice(-MOST_WAITING);
        plan();
      };
      channel.port2.postMessage(0);
    },
    stop() {
      clearInterval(pinging);
      clearTimeout(timer);
    },
  };
}
