// A WebSocket that comes back: growing pauses between attempts, a new ticket when ours was refused.

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8000;
const SILENCE_MS = 25000; // the server sends a heartbeat every 10 s
const TICKET_REFUSED = 4401;

/**
 * Opens path?ticket=..&.. and keeps it open; `parts` = {path, query, ticket(), onMessage, onState, onTicketRefused}, and
 * where they matter `opens(message)`, which message says that all is well, and `onBinary(buffer)`. `onState` is told
 * "open", or "lost" with the closing code and reason.
 */
export function keepOpen(parts) {
  let socket = null;
  let pauseMs = FIRST_PAUSE_MS;
  let timer = 0;
  let silence = 0;
  let stopped = false;

  function connect() {
    clearTimeout(timer);
    if (stopped) return;
    const url = new URL(parts.path, location.origin);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    for (const [name, value] of Object.entries(parts.query ?? {})) url.searchParams.set(name, value);
    url.searchParams.set("ticket", parts.ticket());
    const opened = new WebSocket(url);
    opened.binaryType = "arraybuffer";
    socket = opened;
    opened.onmessage = (event) => {
      if (opened !== socket) return;
      listen();
      if (typeof event.data !== "string") {
        parts.onBinary(event.data);
        return;
      }
      const message = JSON.parse(event.data);
      if (parts.opens ? parts.opens(message) : message.kind === "snapshot") {
        pauseMs = FIRST_PAUSE_MS;
        parts.onState("open");
      }
      parts.onMessage(message);
    };
    opened.onclose = (event) => {
      if (opened !== socket || stopped) return;
      if (event.code === TICKET_REFUSED) parts.onTicketRefused();
      retry(event.code, event.reason);
    };
    listen();
  }

  function listen() {
    clearTimeout(silence);
    silence = setTimeout(() => {
      socket?.close();
      retry(); // a dead line may take minutes to say that it closed
    }, SILENCE_MS);
  }

  function retry(code = 0, reason = "") {
    socket = null;
    parts.onState("lost", code, reason);
    clearTimeout(silence);
    clearTimeout(timer);
    timer = setTimeout(connect, pauseMs * (0.75 + Math.random() / 2));
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }

  connect();
  return {
    /** Sends a text or a buffer; false where there is no open line, or one that lags by more than `most` bytes. */
    send(content, most = Infinity) {
      if (socket?.readyState !== WebSocket.OPEN || socket.bufferedAmount > most) return false;
      socket.send(content);
      return true;
    },
    /** Leaves the line for a new one. */
    restart() {
      const left = socket;
      socket = null;
      left?.close();
      pauseMs = FIRST_PAUSE_MS;
      connect();
    },
    /** Tries again at once: the ticket is new, or the page came back into view. */
    hurry() {
      if (!stopped && socket === null) {
        pauseMs = FIRST_PAUSE_MS;
        connect();
      }
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      clearTimeout(silence);
      socket?.close();
    },
  };
}
