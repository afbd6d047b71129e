// Spectrograms on a canvas: one that scrolls while sound comes in, and one of a whole recording.

import { BANDS, MelFrames } from "./fourier.js";
import { colour } from "./words.js";

const HOP_S = 0.01;
const LIVE_COLUMNS = 640;
const MOST_COLUMNS = 1100;
const LOOKS = 4; // frames that a column of a long recording is the largest of

// 256 colours [red, green, blue] between the five stops of the palette.
function colours() {
  const stops = [0, 1, 2, 3, 4].map((n) => colour(`spectrogram-${n}`));
  return Array.from({ length: 256 }, (_, value) => {
    const place = (value / 255) * (stops.length - 1);
    const below = Math.min(stops.length - 2, Math.floor(place));
    return stops[below].map((from, at) => Math.round(from + (place - below) * (stops[below + 1][at] - from)));
  });
}

function put(image, column, values, palette) {
  for (let band = 0; band < BANDS; band += 1) {
    const at = 4 * ((BANDS - 1 - band) * image.width + column);
    const [red, green, blue] = palette[Math.round(255 * values[band])];
    image.data[at] = red;
    image.data[at + 1] = green;
    image.data[at + 2] = blue;
    image.data[at + 3] = 255;
  }
}

function small(width) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = BANDS;
  return canvas;
}

// Gives a canvas as many pixels as the screen has under it.
export function fit(canvas) {
  const ratio = Math.min(2, window.devicePixelRatio || 1);
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return canvas.getContext("2d");
}

// A recording's columns: { columns: [Float32Array(BANDS)], … }, computed in slices so that the page stays responsive.
export async function columnsOf({ wave, sampleRate }, isWanted) {
  const frames = new MelFrames(sampleRate);
  const hops = Math.max(1, Math.round(wave.length / sampleRate / HOP_S));
  const count = Math.min(MOST_COLUMNS, hops);
  const looks = Math.min(LOOKS, Math.ceil(hops / count));
  const columns = [];
  for (let column = 0; column < count; column += 1) {
    let loudest = null;
    for (let look = 0; look < looks; look += 1) {
      const centre = ((column + (look + 0.5) / looks) / count) * wave.length;
      const values = frames.column(wave, Math.round(centre - frames.length / 2));
      loudest = loudest ? loudest.map((value, band) => Math.max(value, values[band])) : values;
    }
    columns.push(loudest);
    if (column % 64 === 63) {
      await new Promise((resolve) => setTimeout(resolve));
      if (!isWanted()) return null;
    }
  }
  return columns;
}

export function drawColumns(canvas, columns) {
  const source = small(columns.length);
  const image = new ImageData(columns.length, BANDS);
  const palette = colours();
  columns.forEach((values, column) => put(image, column, values, palette));
  source.getContext("2d").putImageData(image, 0, 0);
  const context = fit(canvas);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
}

// Scrolls to the left as sound comes in. Where less motion is wanted it stands still and is written over from the left.
export class LiveSpectrogram {
  constructor(canvas, sampleRate) {
    this.canvas = canvas;
    this.frames = new MelFrames(sampleRate);
    this.hop = HOP_S * sampleRate;
    this.ring = small(LIVE_COLUMNS);
    this.context = this.ring.getContext("2d");
    this.palette = colours();
    this.context.fillStyle = `rgb(${this.palette[0]})`;
    this.context.fillRect(0, 0, LIVE_COLUMNS, BANDS);
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.kept = new Float32Array(0);
    this.begin = 0; // the sample that `kept` begins with
    this.columns = 0;
  }

  static get seconds() {
    return LIVE_COLUMNS * HOP_S;
  }

  feed(block) {
    const wave = new Float32Array(this.kept.length + block.length);
    wave.set(this.kept);
    wave.set(block, this.kept.length);
    let start = Math.round(this.columns * this.hop) - this.begin;
    while (start + this.frames.length <= wave.length) {
      this.#add(this.frames.column(wave, start));
      start = Math.round(this.columns * this.hop) - this.begin;
    }
    this.kept = wave.slice(start);
    this.begin += start;
  }

  #add(values) {
    const image = new ImageData(1, BANDS);
    put(image, 0, values, this.palette);
    this.context.putImageData(image, this.columns % LIVE_COLUMNS, 0);
    this.columns += 1;
  }

  draw() {
    const context = fit(this.canvas);
    const { width, height } = this.canvas;
    const split = this.still ? 0 : this.columns % LIVE_COLUMNS;
    const first = Math.round((width * (LIVE_COLUMNS - split)) / LIVE_COLUMNS);
    context.drawImage(this.ring, split, 0, LIVE_COLUMNS - split, BANDS, 0, 0, first, height);
    if (split) context.drawImage(this.ring, 0, 0, split, BANDS, first, 0, width - first, height);
  }
}
