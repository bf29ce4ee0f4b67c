// Runs beside the page's own thread: the microphone's samples as 16 kHz 16-bit frames of 40 ms, with their loudness.

const RATE_HZ = 16000;
const FRAME_SAMPLES = 640;
const REACH = 12; // zero crossings of the low-pass on each side

/** Takes samples of any rate to 16 kHz: a windowed-sinc low-pass (Hann), one row of weights per output phase. */
class Resampler {
  constructor(rate) {
    const divisor = gcd(rate, RATE_HZ);
    this.up = RATE_HZ / divisor;
    this.down = rate / divisor;
    const cut = 0.46 * Math.min(1, RATE_HZ / rate); // of the input's rate, a little below what 16 kHz can hold
    this.half = Math.ceil(REACH / (2 * cut));
    this.rows = Array.from({ length: this.up }, (_, phase) => this.row(phase / this.up, cut));
    this.held = new Float32Array(2 * this.half); // the input that the next outputs reach back to
    this.phase = 0; // of the next output, in 1/up of an input sample after held[half]
  }

  row(offset, cut) {
    const weights = new Float32Array(2 * this.half + 1);
    let sum = 0;
    for (let k = -this.half; k <= this.half; k++) {
      const x = k - offset;
      const window = Math.abs(x) < this.half ? 0.5 + 0.5 * Math.cos((Math.PI * x) / this.half) : 0;
      const angle = 2 * Math.PI * cut * x;
      const weight = window * (Math.abs(angle) < 1e-9 ? 1 : Math.sin(angle) / angle);
      weights[k + this.half] = weight;
      sum += weight;
    }
    return weights.map((weight) => weight / sum);
  }

  /** Calls `give(sample)` for each output that the input so far decides. */
  push(input, give) {
    const all = new Float32Array(this.held.length + input.length);
    all.set(this.held);
    all.set(input, this.held.length);
    let at = this.half + Math.floor(this.phase / this.up);
    let phase = this.phase % this.up;
    while (at + this.half < all.length) {
      const weights = this.rows[phase];
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * all[at - this.half + k];
      give(sum);
      phase += this.down;
      at += Math.floor(phase / this.up);
      phase %= this.up;
    }
    // What the next output needs stays; it may lie beyond the samples that are there.
    const keep = Math.min(at - this.half, all.length);
    this.held = all.slice(keep);
    this.phase = (at - this.half - keep) * this.up + phase;
  }
}

function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = sampleRate === RATE_HZ ? null : new Resampler(Math.round(sampleRate));
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
    this.squares = 0;
  }

  process(inputs) {
    const input = inputs[0][0];
    if (!input) return true;
    const give = (sample) => this.give(sample);
    if (this.resampler) this.resampler.push(input, give);
    else input.forEach(give);
    return true;
  }

  give(sample) {
    const bounded = Math.max(-1, Math.min(1, sample));
    this.squares += bounded * bounded;
    this.frame[this.filled++] = Math.round(bounded * 32767);
    if (this.filled < FRAME_SAMPLES) return;
    const level = Math.sqrt(this.squares / FRAME_SAMPLES);
    this.port.postMessage({ pcm: this.frame.buffer, level }, [this.frame.buffer]);
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
    this.squares = 0;
  }
}

registerProcessor("overtone-microphone", Microphone);
