// Speech that comes in pieces, played without gaps, and silenced at once.

const LEAD_S = 0.03; // before the first piece, so that the next one is there in time
const FADE_S = 0.008; // silence without a click
const AUDIBLE = 0.01; // of full scale

/** `onAudible(turn, ms)` tells when the first sound of a turn comes out; `onChange(playing)` when sound begins or ends. */
export function loudspeaker({ onAudible, onChange }) {
  let context = null;
  let gain = null;
  let rate = 22050;
  let ends = 0; // when what is queued is over, on the context's clock
  let pieces = new Set();
  const sounded = new Set(); // turns whose first sound is known
  let silenced = -1; // what comes of this turn and those before it is dropped

  // Its own rate spares resampling of each piece, which would click at the seams.
  function prepare() {
    if (context && context.sampleRate === rate) return;
    context?.close();
    context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
    gain = context.createGain();
    gain.connect(context.destination);
    ends = 0;
  }

  function play(turn, pcm) {
    if (turn <= silenced || pcm.byteLength < 2) return;
    prepare();
    const samples = new Int16Array(pcm, 0, pcm.byteLength >> 1);
    const buffer = context.createBuffer(1, samples.length, rate);
    const content = buffer.getChannelData(0);
    for (let i = 0; i < samples.length; i++) content[i] = samples[i] / 32768;
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(gain);
    const starts = ends > context.currentTime ? ends : context.currentTime + LEAD_S;
    source.start(starts);
    ends = starts + buffer.duration;
    if (!pieces.size) onChange(true);
    pieces.add(source);
    source.onended = () => {
      if (pieces.delete(source) && !pieces.size) onChange(false);
    };
    if (!sounded.has(turn)) {
      const first = content.findIndex((sample) => Math.abs(sample) > AUDIBLE);
      if (first >= 0) {
        sounded.add(turn);
        const wait = starts - context.currentTime + first / rate + (context.outputLatency || 0);
        onAudible(turn, performance.now() + 1000 * wait);
      }
    }
  }

  return {
    play,
    /** A new conversation: samples a second of what will come; turns count anew. */
    begin(hz) {
      this.silence(-1);
      rate = hz;
      silenced = -1;
      sounded.clear();
    },
    /** Drops what is queued, and what still comes of `turn`. */
    silence(turn) {
      silenced = Math.max(silenced, turn);
      if (!pieces.size) return;
      const left = pieces;
      pieces = new Set();
      const old = gain;
      old.gain.setTargetAtTime(0, context.currentTime, FADE_S / 3);
      for (const source of left) source.stop(context.currentTime + FADE_S);
      gain = context.createGain();
      gain.connect(context.destination);
      setTimeout(() => old.disconnect(), 1000 * FADE_S + 50);
      ends = 0;
      onChange(false);
    },
    /** Called from a click or a key: browsers let a page speak only after one. */
    unlock() {
      prepare();
      if (context.state === "suspended") context.resume();
    },
    get playing() {
      return pieces.size > 0;
    },
    close() {
      this.silence(Infinity);
      context?.close();
      context = null;
    },
  };
}
