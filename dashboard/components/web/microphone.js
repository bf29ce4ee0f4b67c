// The microphone as 16 kHz 16-bit frames of 40 ms, how loud it is, and when the person last spoke.

const RATE_HZ = 16000;
const REMEMBERED_FRAMES = 300; // 12 s: an utterance and the silence before it
const VOICE_SHARE = 0.12; // of the way from the room's noise to the loudest of the utterance
const SOUND = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** A message for the person; `name` is the browser's name of the failure. */
export class NoMicrophone extends Error {}

/** `parts` = {onFrame(buffer), onLevel(0..1), onLost(text)}; nothing is asked of the browser before `open`. */
export function microphone(parts) {
  let context = null;
  let stream = null;
  let frames = []; // [when it was heard, how loud it was], the latest last

  async function open() {
    if (stream) return;
    if (!navigator.mediaDevices?.getUserMedia) throw new NoMicrophone(reason("insecure"));
    const opened = await navigator.mediaDevices.getUserMedia({ audio: SOUND }).catch((error) => {
      throw new NoMicrophone(reason(error.name));
    });
    try {
      stream = opened;
      const source = await listenTo(opened);
      const node = new AudioWorkletNode(context, "overtone-microphone", { numberOfInputs: 1, numberOfOutputs: 1 });
      node.port.onmessage = ({ data }) => heard(data);
      source.connect(node);
      node.connect(context.destination); // it gives silence; a node that leads nowhere may not be run
      await context.resume();
    } catch {
      close();
      throw new NoMicrophone(reason("unsupported"));
    }
    opened.getAudioTracks()[0].addEventListener("ended", () => {
      if (stream === opened) lose("The microphone was unplugged or taken away. Typing still works.");
    });
    // A phone call or a locked screen takes the sound away from the page.
    context.addEventListener("statechange", () => {
      if (stream === opened && context?.state !== "running") lose("The browser stopped the microphone.", true);
    });
  }

  // Some browsers refuse to take a microphone at another rate than its own: then the worklet brings it to 16 kHz.
  async function listenTo(opened) {
    for (const options of [{ sampleRate: RATE_HZ }, {}]) {
      const candidate = new AudioContext({ ...options, latencyHint: "interactive" });
      try {
        const source = candidate.createMediaStreamSource(opened);
        await candidate.audioWorklet.addModule(new URL("/assets/microphone_worklet.js", location.origin).href);
        context = candidate;
        return source;
      } catch (error) {
        candidate.close();
        if (!("sampleRate" in options)) throw error;
      }
    }
    throw new Error("no audio");
  }

  function heard({ pcm, level }) {
    if (!stream) return;
    frames.push([performance.now(), level]);
    if (frames.length > REMEMBERED_FRAMES) frames = frames.slice(-REMEMBERED_FRAMES / 2);
    parts.onLevel(level);
    parts.onFrame(pcm);
  }

  function lose(text, suspended = false) {
    close();
    parts.onLost(text, suspended);
  }

  function close() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    context?.close().catch(() => {});
    stream = context = null;
    parts.onLevel(0);
  }

  return {
    open,
    close,
    get isOpen() {
      return stream !== null;
    },
    /** When the person fell silent, on the page's clock in ms; null where nobody spoke. */
    spokenUntil() {
      if (frames.length < 5) return null;
      const levels = frames.map(([, level]) => level).sort((a, b) => a - b);
      const [quiet, loud] = [0.1, 0.98].map((part) => levels[Math.floor(part * (levels.length - 1))]);
      const voice = quiet + VOICE_SHARE * (loud - quiet);
      for (let i = frames.length - 1; i > 0; i--) {
        if (frames[i][1] > voice && frames[i - 1][1] > voice) return frames[i][0];
      }
      return null;
    },
  };
}

function reason(name) {
  const words = {
    NotAllowedError: "The browser does not let this page use the microphone. Allow it beside the page's address; until then, type.",
    NotFoundError: "No microphone was found. Plug one in, or type.",
    NotReadableError: "Another program holds the microphone. Close it and try again, or type.",
    insecure: "Browsers give a page the microphone over HTTPS only, or on the machine itself. Typing works here.",
    unsupported: "This browser cannot stream the microphone. Typing works.",
  };
  return words[name] ?? `The microphone does not work (${name}). Typing works.`;
}
