// What stands under the controls: spectrogram, explanation, wave, band of emotions, axis of time, place of playback.

import { drawExplanation } from "./explanation.js";
import { height } from "./fourier.js";
import { columnsOf, drawColumns, fit, LiveSpectrogram } from "./spectrogram.js";
import { envelope } from "./sound.js";
import { clock, colour, colourName, element, paint, percent } from "./words.js";

const TICKS_HZ = [250, 500, 1000, 2000, 4000];
const NAME_WIDTH_PX = 6.6;
const NAME_ROOM_PX = 18;

export class Stage {
  constructor({ onSeek, onToggle }) {
    const find = (id) => document.getElementById(id);
    this.view = find("view");
    this.spectrogram = find("spectrogram");
    this.overlay = find("overlay");
    this.wave = find("wave");
    this.band = find("band");
    this.times = find("times");
    this.playhead = find("playhead");
    this.seek = find("seek");
    this.seek.addEventListener("input", () => onSeek(Number(this.seek.value)));
    this.seek.addEventListener("keydown", (event) => this.#key(event, onSeek, onToggle));
    find("frequencies").append(...TICKS_HZ.map(frequencyTick));
    new ResizeObserver(() => this.#redraw()).observe(this.view);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
    this.clear();
  }

  clear() {
    Object.assign(this, { sound: null, columns: null, live: null, segments: [], explanation: null, duration: 0 });
    this.view.dataset.state = "rest";
    this.playhead.hidden = true;
    this.seek.hidden = true;
    for (const container of [this.band, this.times]) container.replaceChildren();
    for (const canvas of [this.spectrogram, this.overlay, this.wave]) fit(canvas).clearRect(0, 0, canvas.width, canvas.height);
  }

  // Recording begins.
  startLive(sampleRate) {
    this.clear();
    this.view.dataset.state = "live";
    this.live = new LiveSpectrogram(this.spectrogram, sampleRate);
    this.#times(-LiveSpectrogram.seconds, 0);
    const draw = () => {
      if (!this.live) return;
      this.live.draw();
      requestAnimationFrame(draw);
    };
    draw();
  }

  feed(block) {
    this.live?.feed(block);
  }

  // An answer while sound comes in: the end of its window joins the band, which is as long as the spectrogram.
  addMoment(moment, seconds) {
    const last = this.segments.at(-1);
    const start_s = last ? last.end_s : Math.max(0, moment.end_s - 0.5);
    const emotion = moment.speech ? moment.emotion : "";
    if (last?.emotion === emotion && last.uncertain === moment.uncertain) last.end_s = moment.end_s;
    else this.segments.push({ ...moment, start_s, emotion });
    this.segments = this.segments.filter((segment) => segment.end_s > seconds - LiveSpectrogram.seconds);
    this.#band(seconds - LiveSpectrogram.seconds, seconds);
  }

  // A whole recording; its segments may come later.
  async show(sound) {
    this.clear();
    this.sound = sound;
    this.duration = sound.wave.length / sound.sampleRate;
    this.view.dataset.state = "whole";
    this.seek.max = String(this.duration);
    this.seek.hidden = false;
    this.playhead.hidden = false;
    this.moveTo(0);
    this.#times(0, this.duration);
    this.#wave();
    const columns = await columnsOf(sound, () => this.sound === sound);
    if (!columns) return;
    this.columns = columns;
    drawColumns(this.spectrogram, columns);
    this.spectrogram.setAttribute("aria-label", `Spectrogram of ${this.duration.toFixed(1)} seconds of sound, time to the right, up to 8 kilohertz upwards`);
  }

  // Arrows go on by a stretch that suits the length; space plays.
  #key(event, onSeek, onToggle) {
    const stretch = this.duration < 20 ? 0.5 : 5;
    const by = { ArrowRight: stretch, ArrowUp: stretch, ArrowLeft: -stretch, ArrowDown: -stretch }[event.key];
    if (!by && event.key !== " ") return;
    event.preventDefault();
    if (by) onSeek(Number(this.seek.value) + by);
    else onToggle();
  }

  // A recording that the browser cannot play: the band alone.
  showLength(duration) {
    this.clear();
    this.duration = duration;
    this.view.dataset.state = "whole";
    this.#times(0, duration);
  }

  showSegments(segments) {
    this.segments = segments;
    this.#band(0, this.duration);
    this.#wave();
  }

  showExplanation(explanation) {
    this.explanation = explanation;
    drawExplanation(this.overlay, explanation, this.duration);
  }

  moveTo(seconds, playing = false) {
    this.playhead.style.setProperty("--at", this.duration ? seconds / this.duration : 0);
    this.seek.value = String(seconds);
    const now = this.segments.findIndex(({ start_s, end_s }) => start_s <= seconds && seconds < end_s);
    const { emotion } = this.segments[now] ?? {};
    this.seek.setAttribute("aria-valuetext", `${clock(seconds)}${emotion ? `, ${emotion}` : ""}`);
    this.band.toggleAttribute("data-playing", playing);
    [...this.band.children].forEach((child, at) => child.toggleAttribute("data-now", at === now));
    return now;
  }

  #band(from, to) {
    const width = this.band.clientWidth / (to - from);
    this.band.replaceChildren(
      ...this.segments.map((segment) => {
        const block = element("div", { class: "segment", "data-uncertain": segment.uncertain, title: describe(segment) });
        const start = Math.max(from, segment.start_s);
        block.style.left = `${(100 * (start - from)) / (to - from)}%`;
        block.style.width = `${(100 * (segment.end_s - start)) / (to - from)}%`;
        if (segment.emotion) paint(block, segment.emotion);
        const room = (segment.end_s - start) * width > NAME_WIDTH_PX * segment.emotion.length + NAME_ROOM_PX;
        if (room && segment.emotion) block.append(element("span", {}, segment.emotion));
        return block;
      }),
    );
  }

  // The wave, in the colours of its segments.
  #wave() {
    if (!this.sound) return;
    const context = fit(this.wave);
    const { width, height: rows } = this.wave;
    const peaks = envelope(this.sound.wave, width);
    const largest = Math.max(0.02, ...peaks);
    const silent = `rgb(${colour("outline")})`;
    const fills = new Map(this.segments.map(({ emotion }) => [emotion, `rgb(${colour(`${colourName(emotion)}-edge`)})`]));
    context.clearRect(0, 0, width, rows);
    let at = 0;
    for (let column = 0; column < width; column += 1) {
      const seconds = ((column + 0.5) / width) * this.duration;
      while (at < this.segments.length && this.segments[at].end_s <= seconds) at += 1;
      const inside = at < this.segments.length && this.segments[at].start_s <= seconds;
      context.fillStyle = inside ? fills.get(this.segments[at].emotion) : silent;
      const half = Math.max(0.5, (0.48 * rows * peaks[column]) / largest);
      context.fillRect(column, rows / 2 - half, 1, 2 * half);
    }
  }

  #times(from, to) {
    const span = to - from;
    const most = Math.max(2, Math.floor(this.times.clientWidth / 80));
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((one) => span / one <= most) ?? 7200;
    const ticks = [];
    for (let n = Math.ceil(from / step); n * step <= to + 1e-9; n += 1) ticks.push(n * step);
    this.times.replaceChildren(
      ...ticks.map((time) => {
        const tick = element("span", { "data-last": (time - from) / span > 0.97 }, tickWords(time, to === 0));
        tick.style.left = `${(100 * (time - from)) / span}%`;
        return tick;
      }),
    );
  }

  #redraw() {
    if (this.columns) drawColumns(this.spectrogram, this.columns);
    if (this.sound) {
      this.#times(0, this.duration);
      this.#band(0, this.duration);
      this.#wave();
    }
    if (this.explanation) drawExplanation(this.overlay, this.explanation, this.duration);
  }
}

function frequencyTick(hertz) {
  const tick = element("span", {}, hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`);
  tick.style.bottom = `${100 * height(hertz)}%`;
  return tick;
}

// Seconds before now while recording, else the time in the recording.
function tickWords(time, isLive) {
  if (isLive) return time === 0 ? "now" : `−${-time} s`;
  return clock(time).replace(/\.0$/, "");
}

function describe({ start_s, end_s, emotion, confidence, uncertain }) {
  const what = emotion ? `${emotion} ${percent(confidence)}${uncertain ? ", uncertain" : ""}` : "no speech";
  return `${clock(start_s)} to ${clock(end_s)}: ${what}`;
}
