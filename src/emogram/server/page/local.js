// Recognition in this browser: the same model file, windows cut as the server cuts them, nothing uploaded.
// Voice detection and the checks of the sound are the server's alone; here pauses count as speech.

import { resample } from "./sound.js";

const LIVE_HOP_S = 0.5;

export class LocalModel {
  constructor(info) {
    this.info = info;
    this.threshold = info.threshold;
    this.worker = new Worker(new URL("local-worker.js", import.meta.url), { type: "module" });
    this.waiting = new Map();
    this.asked = 0;
    this.worker.onmessage = ({ data }) => this.#settle(data);
    this.worker.onerror = (event) => {
      for (const id of [...this.waiting.keys()]) this.#settle({ id, error: event.message || "the worker did not start" });
    };
  }

  // Hands over the model's bytes; `runtime` is the address of the folder that holds onnxruntime-web.
  async load(runtime, model) {
    await this.#ask({ runtime, model }, [model]);
  }

  async predict(file, { wave, sampleRate }) {
    const { info } = this;
    const ready = await resample(wave, sampleRate, info.sample_rate);
    const size = Math.max(2, Math.round(info.window_s * info.sample_rate));
    const answers = [];
    for (const start of starts(ready.length, size, Math.floor(size / 2))) {
      answers.push(await this.#probabilities(ready.slice(start, start + size)));
    }
    const mean = info.labels.map((_, at) => answers.reduce((sum, one) => sum + one[at], 0) / answers.length);
    const duration_s = ready.length / info.sample_rate;
    return { file: file.name, ...this.#named(mean), duration_s, model: info.name, warnings: [] };
  }

  async timeline(file, { wave, sampleRate }) {
    const { info } = this;
    const ready = await resample(wave, sampleRate, info.sample_rate);
    const window_s = Math.max(info.clip_s, info.min_s);
    const hop_s = window_s / 2;
    const size = Math.round(window_s * info.sample_rate);
    const hop = Math.round(hop_s * info.sample_rate);
    const duration_s = ready.length / info.sample_rate;
    const cells = Array.from({ length: Math.ceil(ready.length / hop) }, () => ({ weight: 0, sums: info.labels.map(() => 0) }));
    for (const start of starts(ready.length, size, hop)) {
      const end = Math.min(start + size, ready.length);
      spread(cells, hop, start, end, await this.#probabilities(ready.slice(start, end)));
    }
    const segments = merge(cells, hop_s, duration_s).map(({ start_s, end_s, mean }) => ({ start_s, end_s, ...this.#named(mean) }));
    return { file: file.name, duration_s, speech_s: duration_s, model: info.name, window_s, hop_s, segments, shares: {}, warnings: [] };
  }

  // As `Live` of the server: sound in, answers out.
  live(sampleRate, callbacks) {
    return new LocalLive(this, sampleRate, callbacks);
  }

  async moment(wave, sampleRate, start_s) {
    const ready = await resample(wave, sampleRate, this.info.sample_rate);
    const end_s = start_s + wave.length / sampleRate;
    return { start_s, end_s, ...this.#named(await this.#probabilities(ready)), speech: 1 };
  }

  async #probabilities(wave) {
    const shortest = Math.max(1, Math.round(this.info.min_s * this.info.sample_rate));
    const padded = new Float32Array(Math.max(wave.length, shortest));
    padded.set(wave);
    return this.#ask({ wave: padded }, [padded.buffer]);
  }

  #named(mean) {
    const best = mean.indexOf(Math.max(...mean));
    const probabilities = Object.fromEntries(this.info.labels.map((label, at) => [label, mean[at]]));
    const confidence = mean[best];
    return { emotion: this.info.labels[best], probabilities, confidence, uncertain: confidence < this.threshold };
  }

  #ask(message, transfer) {
    this.asked += 1;
    const id = this.asked;
    this.worker.postMessage({ id, ...message }, transfer);
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  #settle({ id, value, error }) {
    const { resolve, reject } = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) reject(new Error(error));
    else resolve(value);
  }
}

class LocalLive {
  constructor(model, sampleRate, { onMoment, onProblem }) {
    Object.assign(this, { model, sampleRate, onMoment, onProblem, samples: 0, next: 0, busy: false });
    this.size = Math.round(Math.max(model.info.clip_s, model.info.min_s) * sampleRate);
    this.kept = new Float32Array(0);
  }

  // `block` as the recorder gives it. Where the model is slower than the sound, answers are left out.
  feed(block) {
    const wave = new Float32Array(Math.min(this.size, this.kept.length + block.length));
    wave.set(this.kept.slice(Math.max(0, this.kept.length + block.length - this.size)));
    wave.set(block, wave.length - block.length);
    this.kept = wave;
    this.samples += block.length;
    if (this.samples < Math.max(this.size, this.next) || this.busy) return;
    this.next = this.samples + LIVE_HOP_S * this.sampleRate;
    this.#answer();
  }

  async #answer() {
    this.busy = true;
    const start_s = (this.samples - this.kept.length) / this.sampleRate;
    try {
      const moment = await this.model.moment(this.kept.slice(), this.sampleRate, start_s);
      if (!this.ended) this.onMoment(moment);
      this.busy = false;
    } catch (error) {
      this.onProblem(error.message); // it stays busy: the next answer would fail, too
    }
  }

  async end() {
    this.ended = true;
  }

  stop() {
    this.ended = true;
  }
}

// Where windows begin: every hop, and one that reaches back from the end where the others do not get there.
export function starts(samples, size, hop) {
  const places = [0];
  while (places.at(-1) + size < samples) places.push(Math.min(places.at(-1) + hop, Math.max(0, samples - size)));
  return places;
}

function spread(cells, hop, start, end, probabilities) {
  for (let cell = Math.floor(start / hop); cell < cells.length && cell * hop < end; cell += 1) {
    const weight = Math.min(end, (cell + 1) * hop) - Math.max(start, cell * hop);
    cells[cell].weight += weight;
    probabilities.forEach((value, at) => {
      cells[cell].sums[at] += weight * value;
    });
  }
}

// Neighbours of one emotion joined, each with the mean of its cells.
function merge(cells, hop_s, duration_s) {
  const best = (sums) => sums.indexOf(Math.max(...sums));
  const runs = [];
  cells.forEach(({ sums, weight }, at) => {
    const mean = sums.map((sum) => sum / (weight || 1));
    const last = runs.at(-1);
    if (last && best(last.sums) === best(mean)) {
      last.sums = last.sums.map((sum, label) => sum + mean[label]);
      last.cells += 1;
    } else {
      runs.push({ first: at, cells: 1, sums: mean });
    }
  });
  return runs.map(({ first, cells: count, sums }) => ({
    start_s: first * hop_s,
    end_s: Math.min(duration_s, (first + count) * hop_s),
    mean: sums.map((sum) => sum / count),
  }));
}
