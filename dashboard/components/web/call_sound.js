// The sound of a call, also of one that goes on: its file grows, and what came since is fetched when it is reached.

const GROWS_EVERY_MS = 5000;
const LONG_CALL_S = 600; // from here on the outline is fetched less often
const LONG_EVERY_MS = 15000;
const BEHIND_S = 2; // how far behind the present listening in begins

/**
 * `parts` = {address(part), isLive(), onOutline(content, headers), onNone()}. The element `audio` plays; `load` fetches
 * what there is, `stop` ends everything.
 */
export function callSound(audio, parts) {
  let there = false;
  let length = 0; // seconds that the element's file has
  let newest = 0; // seconds that there are by now
  let timer = 0;
  let stopped = false;
  let wantsMore = false; // it was played to its end and goes on when more has come

  async function load() {
    clearTimeout(timer);
    const answer = await fetch(parts.address("/peaks")).catch(() => null);
    if (stopped) return;
    const found = answer?.status === 200;
    if (found) {
      newest = Number(answer.headers.get("x-duration-s"));
      parts.onOutline(new Uint8Array(await answer.arrayBuffer()), answer.headers);
      if (!there || !parts.isLive()) point();
      else if (wantsMore && newest > length + 1) resume();
    } else if (!there) parts.onNone();
    there ||= found;
    if (parts.isLive() && !stopped) timer = setTimeout(load, newest > LONG_CALL_S ? LONG_EVERY_MS : GROWS_EVERY_MS);
  }

  // A browser reads the length of a file once and remembers it by its address: a grown one needs another.
  function point(at = audio.currentTime, play = !audio.paused) {
    audio.src = `${parts.address("/audio.wav")}&seconds=${newest.toFixed(1)}`;
    length = newest;
    if (at) audio.currentTime = at;
    if (play) audio.play().catch(() => {});
  }

  function resume() {
    wantsMore = false;
    point(audio.currentTime, true);
  }

  audio.addEventListener("ended", () => {
    if (!parts.isLive()) return;
    wantsMore = true;
    load();
  });
  audio.addEventListener("play", () => (wantsMore = false));

  return {
    load,
    get there() {
      return there;
    },
    /** Plays what is being said, two seconds behind. */
    async listenIn() {
      await load();
      if (there) point(Math.max(0, newest - BEHIND_S), true);
    },
    /** Fetches anew what lies beyond the end of the file that the element has; true where it does. */
    reach(t) {
      if (!there || t <= length || t > newest) return false;
      point(t);
      return true;
    },
    /** The ticket was renewed. */
    renew: () => there && point(),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
