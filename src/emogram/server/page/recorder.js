// The microphone: asks for it, and gives what it hears in blocks.

import { join } from "./sound.js";

// What can go wrong with a microphone, and what to do about it.
const REFUSALS = {
  NotAllowedError: "The browser may not use the microphone. Allow it for this page, beside the address, and press Record again.",
  NotFoundError: "There is no microphone. Plug one in, or choose a file.",
  NotReadableError: "The microphone does not answer. Another program may be using it; close that and press Record again.",
  OverconstrainedError: "The chosen microphone is gone. Choose another one.",
  AbortError: "The microphone stopped answering. Press Record again.",
};

export class MicrophoneError extends Error {}

// Sound as it is: what a browser does for telephone calls would take away loudness, which tells emotions apart.
const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

export class Recorder {
  // `onBlock(block, sampleRate)` is called for each block, `onEnd()` where the microphone ends by itself.
  constructor({ onBlock, onEnd }) {
    this.onBlock = onBlock;
    this.onEnd = onEnd;
    this.blocks = [];
    this.samples = 0;
  }

  async start(deviceId) {
    if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) {
      throw new MicrophoneError("A browser gives the microphone only to pages from localhost or over https. Open the page there, or choose a file.");
    }
    try {
      this.media = await navigator.mediaDevices.getUserMedia({ audio: { ...PLAIN, ...(deviceId && { deviceId: { exact: deviceId } }) } });
      await this.#listen();
    } catch (error) {
      this.#release();
      throw new MicrophoneError(REFUSALS[error.name] ?? `The microphone cannot be used (${error.name}). Choose a file.`);
    }
  }

  async #listen() {
    this.context = new AudioContext({ latencyHint: "interactive" });
    await this.context.audioWorklet.addModule(new URL("recorder-worklet.js", import.meta.url));
    await this.context.resume();
    this.node = new AudioWorkletNode(this.context, "collector", { numberOfOutputs: 0 });
    this.ended = new Promise((resolve) => {
      this.node.port.onmessage = ({ data }) => (data ? this.#take(data) : resolve());
    });
    this.context.createMediaStreamSource(this.media).connect(this.node);
    this.media.getAudioTracks()[0].onended = () => this.onEnd();
  }

  #take(block) {
    if (!block.length) return;
    this.blocks.push(block);
    this.samples += block.length;
    this.onBlock(block, this.context.sampleRate);
  }

  get seconds() {
    return this.context ? this.samples / this.context.sampleRate : 0;
  }

  // Stops, and returns { wave, sampleRate }.
  async stop() {
    const { sampleRate } = this.context;
    this.media.getAudioTracks()[0].onended = null;
    this.node.port.postMessage("stop");
    await Promise.race([this.ended, new Promise((resolve) => setTimeout(resolve, 500))]);
    this.#release();
    return { wave: join(this.blocks), sampleRate };
  }

  #release() {
    this.media?.getTracks().forEach((track) => track.stop());
    this.context?.close();
  }
}

// The microphones, named once the browser was allowed to use one: [{ id, name }].
export async function microphones() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices
    .filter((device) => device.kind === "audioinput" && device.deviceId && device.deviceId !== "default" && device.label)
    .map((device) => ({ id: device.deviceId, name: device.label }));
}
