// What spoke for an emotion, drawn over the spectrogram: the rest fades, what counted takes the emotion's colour.

import { BANDS, fromMel, HIGHEST_HZ, LOWEST_HZ, toMel } from "./fourier.js";
import { fit } from "./spectrogram.js";
import { colour, colourName } from "./words.js";

const COLUMNS = 400;
const MOST_COLOUR = 0.6;
const MOST_VEIL = 0.55;

// `explanation`: values [F][N] between -1 and 1, or 0 and 1, with edges or centres of rows in Hz and of columns in s.
export function drawExplanation(canvas, explanation, duration) {
  const context = fit(canvas);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!explanation) return;
  const source = document.createElement("canvas");
  Object.assign(source, { width: COLUMNS, height: BANDS });
  source.getContext("2d").putImageData(picture(explanation, duration), 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
}

function picture({ values, times_s, frequencies_hz, emotion }, duration) {
  const image = new ImageData(COLUMNS, BANDS);
  const fill = colour(colourName(emotion));
  const veil = colour("spectrogram-0");
  const largest = Math.max(1e-9, ...values.flat().map(Math.abs));
  for (let row = 0; row < BANDS; row += 1) {
    const mel = toMel(LOWEST_HZ) + ((BANDS - row - 0.5) / BANDS) * (toMel(HIGHEST_HZ) - toMel(LOWEST_HZ));
    const band = place(frequencies_hz, fromMel(mel), values.length);
    for (let column = 0; column < COLUMNS; column += 1) {
      const frame = place(times_s, ((column + 0.5) / COLUMNS) * duration, values[0].length);
      const strength = Math.max(0, between(values, band, frame) / largest);
      image.data.set(over(fill, MOST_COLOUR * strength, veil, MOST_VEIL * (1 - strength)), 4 * (row * COLUMNS + column));
    }
  }
  return image;
}

// One colour, as opaque as given, over another: [red, green, blue, alpha] up to 255.
function over(upper, upperAlpha, lower, lowerAlpha) {
  const alpha = upperAlpha + lowerAlpha * (1 - upperAlpha);
  const part = upperAlpha / Math.max(alpha, 1e-9);
  return [...upper.map((value, at) => value * part + lower[at] * (1 - part)), 255 * alpha];
}

// The fractional index of a value on an axis of `count` centres, or of `count + 1` edges.
function place(axis, value, count) {
  const centres = axis.length === count ? axis : axis.slice(1).map((edge, at) => (edge + axis[at]) / 2);
  if (value <= centres[0]) return 0;
  const above = centres.findIndex((centre) => centre >= value);
  if (above < 0) return count - 1;
  return above - (centres[above] - value) / (centres[above] - centres[above - 1]);
}

function between(values, band, frame) {
  const low = Math.floor(band);
  const left = Math.floor(frame);
  const high = Math.min(values.length - 1, low + 1);
  const right = Math.min(values[0].length - 1, left + 1);
  const up = band - low;
  const along = frame - left;
  const below = values[low][left] * (1 - along) + values[low][right] * along;
  const above = values[high][left] * (1 - along) + values[high][right] * along;
  return below * (1 - up) + above * up;
}
