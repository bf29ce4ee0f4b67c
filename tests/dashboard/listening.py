"""What a page really plays: a tap on the way to the loudspeaker, put into the browser before the page's own scripts."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

# What is connected to the loudspeaker is connected to a recorder too; only playback leads there through a gain node.
TAP = """
window.heardSound = { rate: 0, blocks: [] };
{
  const connect = AudioNode.prototype.connect;
  const recorder = `registerProcessor("tap", class extends AudioWorkletProcessor {
      process(inputs) { if (inputs[0][0]) this.port.postMessage(inputs[0][0].slice()); return true; }
  });`;
  const address = URL.createObjectURL(new Blob([recorder], { type: "text/javascript" }));
  const taps = new WeakMap();
  const tapOf = (context) => {
    if (!taps.has(context)) {
      taps.set(context, context.audioWorklet.addModule(address).then(() => {
        const tap = new AudioWorkletNode(context, "tap");
        tap.port.onmessage = ({ data }) => heardSound.blocks.push(data);
        heardSound.rate = context.sampleRate;
        connect.call(tap, context.destination);
        return tap;
      }));
    }
    return taps.get(context);
  };
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode && this instanceof GainNode) {
      tapOf(this.context).then((tap) => connect.call(this, tap));
    }
    return connect.call(this, target, ...rest);
  };
}
"""


def played(page: Page) -> tuple[NDArray[np.float64], int]:
    """What came out so far, -1..1, and how many samples a second it has."""
    rate_hz, content = page.evaluate(
        """() => {
            const bytes = new Uint8Array(heardSound.blocks.flatMap((block) => [...new Uint8Array(block.buffer)]));
            let text = "";
            for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
            return [heardSound.rate, btoa(text)];
        }"""
    )
    return np.frombuffer(base64.b64decode(content), dtype="<f4").astype(np.float64), round(rate_hz)
