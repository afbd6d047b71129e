// On the audio thread: collects what the microphone hears, mixed down, and posts it in blocks.

const BLOCK = 1024;

class Collector extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(BLOCK);
    this.filled = 0;
    this.port.onmessage = () => {
      this.port.postMessage(this.block.slice(0, this.filled));
      this.port.postMessage(null);
      this.stopped = true;
    };
  }

  process([input]) {
    if (this.stopped) return false;
    const length = input.length ? input[0].length : 0;
    for (let n = 0; n < length; n += 1) {
      let sum = 0;
      for (const channel of input) sum += channel[n];
      this.block[this.filled] = sum / input.length;
      this.filled += 1;
      if (this.filled === BLOCK) {
        this.port.postMessage(this.block, [this.block.buffer]);
        this.block = new Float32Array(BLOCK);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("collector", Collector);
