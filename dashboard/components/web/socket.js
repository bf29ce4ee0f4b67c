// A WebSocket that comes back: growing pauses between attempts, a new ticket when ours was refused.

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8000;
const SILENCE_MS = 25000; // the server sends a heartbeat every 10 s
const TICKET_REFUSED = 4401;

/** Opens path?ticket=..&.. and keeps it open; `parts` = {path, query, ticket(), onMessage, onState, onTicketRefused}. */
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
    socket = opened;
    opened.onmessage = (event) => {
      if (opened !== socket) return;
      listen();
      const message = JSON.parse(event.data);
      if (message.kind === "snapshot") {
        pauseMs = FIRST_PAUSE_MS;
        parts.onState("open");
      }
      parts.onMessage(message);
    };
    opened.onclose = (event) => {
      if (opened !== socket || stopped) return;
      if (event.code === TICKET_REFUSED) parts.onTicketRefused();
      retry();
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

  function retry() {
    socket = null;
    parts.onState("lost");
    clearTimeout(silence);
    clearTimeout(timer);
    timer = setTimeout(connect, pauseMs * (0.75 + Math.random() / 2));
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }

  connect();
  return {
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
