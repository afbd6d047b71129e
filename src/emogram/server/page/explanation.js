// What spoke for an emotion, drawn over the spectrogram: the rest fades, what counted takes the emotion's colour.

import { BANDS, HIGHEST_HZ, LOWEST_HZ, toMel } from "./fourier.js";
import { fit } from "./spectrogram.js";
import { clock, colour, colourName, percent } from "./words.js";

const COLUMNS = 400;
const MOST_COLOUR = 0.6;
const MOST_VEIL = 0.55;

// `explanation` as the server gives it: evidence [bands][spans] between edges in Hz and in s, positive where it spoke for.
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

// What the explanation is about and what it is worth, by its own test.
export function inWords({ emotion, start_s, end_s, duration_s, probability, check }) {
  const where = end_s - start_s < duration_s ? ` between ${clock(start_s)} and ${clock(end_s)}` : "";
  const falls = `Without its strongest tenth, ${percent(probability)} become ${percent(check.strongest)}`;
  const worth = check.passed ? "." : ", no more than without any other: do not rely on it.";
  return `In colour: what spoke for ${emotion}${where}. ${falls}${worth}`;
}

function picture({ evidence, times_s, frequencies_hz, emotion }, duration) {
  const image = new ImageData(COLUMNS, BANDS);
  const fill = colour(colourName(emotion));
  const veil = colour("spectrogram-0");
  const largest = Math.max(1e-9, ...evidence.flat());
  const mels = centres(frequencies_hz.map(toMel));
  const times = centres(times_s);
  for (let row = 0; row < BANDS; row += 1) {
    const band = place(mels, toMel(LOWEST_HZ) + ((BANDS - row - 0.5) / BANDS) * (toMel(HIGHEST_HZ) - toMel(LOWEST_HZ)));
    for (let column = 0; column < COLUMNS; column += 1) {
      const time = ((column + 0.5) / COLUMNS) * duration;
      const inside = times_s[0] <= time && time <= times_s.at(-1);
      const strength = inside ? Math.max(0, between(evidence, band, place(times, time)) / largest) : 0;
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

function centres(edges) {
  return edges.slice(1).map((edge, at) => (edge + edges[at]) / 2);
}

// The fractional index of a value among ascending ones.
function place(values, value) {
  const above = values.findIndex((one) => one >= value);
  if (above === 0) return 0;
  if (above < 0) return values.length - 1;
  return above - (values[above] - value) / (values[above] - values[above - 1]);
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
