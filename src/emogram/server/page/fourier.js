// Spectra in the page: a Fourier transform and mel bands, to look at. What is recognised is computed by the model alone.

export const BANDS = 96;
export const LOWEST_HZ = 60;
export const HIGHEST_HZ = 8000;

const WINDOW_S = 0.025;
const FLOOR_DB = -92;
const CEILING_DB = -28;

// Radix 2, of real frames of a length that is a power of two.
export class Fourier {
  constructor(size) {
    this.size = size;
    this.real = new Float64Array(size);
    this.imaginary = new Float64Array(size);
    this.cosine = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
    this.sine = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
    this.reversed = new Uint32Array(size);
    for (let n = 1, bits = Math.log2(size); n < size; n += 1) {
      this.reversed[n] = (this.reversed[n >> 1] >> 1) | ((n & 1) << (bits - 1));
    }
  }

  // Squared magnitudes [size / 2 + 1] of a frame [size].
  power(frame) {
    for (let n = 0; n < this.size; n += 1) {
      this.real[n] = frame[this.reversed[n]];
      this.imaginary[n] = 0;
    }
    for (let half = 1; half < this.size; half *= 2) this.#combine(half);
    return Float64Array.from({ length: this.size / 2 + 1 }, (_, k) => this.real[k] ** 2 + this.imaginary[k] ** 2);
  }

  #combine(half) {
    const { real, imaginary, cosine, sine } = this;
    const stride = this.size / (2 * half);
    for (let begin = 0; begin < this.size; begin += 2 * half) {
      for (let k = 0; k < half; k += 1) {
        const even = begin + k;
        const odd = even + half;
        const turnedReal = real[odd] * cosine[k * stride] - imaginary[odd] * sine[k * stride];
        const turnedImaginary = real[odd] * sine[k * stride] + imaginary[odd] * cosine[k * stride];
        real[odd] = real[even] - turnedReal;
        imaginary[odd] = imaginary[even] - turnedImaginary;
        real[even] += turnedReal;
        imaginary[even] += turnedImaginary;
      }
    }
  }
}

export function toMel(hertz) {
  return 2595 * Math.log10(1 + hertz / 700);
}

export function fromMel(mel) {
  return 700 * (10 ** (mel / 2595) - 1);
}

// Where a frequency lies between the lowest (0) and the highest (1) row.
export function height(hertz) {
  return (toMel(hertz) - toMel(LOWEST_HZ)) / (toMel(HIGHEST_HZ) - toMel(LOWEST_HZ));
}

// Columns of a spectrogram, one frame at a time, as values from 0 to 1 in a range of levels that is the same for all sound.
export class MelFrames {
  constructor(sampleRate) {
    this.length = Math.round(WINDOW_S * sampleRate);
    this.fourier = new Fourier(2 ** Math.ceil(Math.log2(this.length)));
    this.window = Float64Array.from({ length: this.length }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / this.length));
    this.scale = 1 / this.window.reduce((sum, value) => sum + value, 0) ** 2;
    this.frame = new Float64Array(this.fourier.size);
    this.bands = melBands(sampleRate, this.fourier.size);
  }

  // Values [BANDS], low rows first, of the frame that begins at a sample; beyond the ends of the wave is silence.
  column(wave, start) {
    for (let n = 0; n < this.length; n += 1) this.frame[n] = (wave[start + n] ?? 0) * this.window[n];
    const power = this.fourier.power(this.frame);
    return Float32Array.from(this.bands, ({ first, weights }) => {
      let sum = 1e-14;
      for (let k = 0; k < weights.length; k += 1) sum += weights[k] * power[first + k];
      const level = 10 * Math.log10(sum * this.scale);
      return Math.min(1, Math.max(0, (level - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
    });
  }
}

// Triangles over the bins of a transform, evenly spaced in mel, each at least a bin wide, with weights that sum to 1.
function melBands(sampleRate, size) {
  const step = (toMel(HIGHEST_HZ) - toMel(LOWEST_HZ)) / BANDS;
  const toBin = (mel) => (fromMel(mel) * size) / sampleRate;
  return Array.from({ length: BANDS }, (_, band) => {
    const centre = toBin(toMel(LOWEST_HZ) + (band + 0.5) * step);
    const low = Math.min(toBin(toMel(LOWEST_HZ) + (band - 0.5) * step), centre - 1);
    const high = Math.max(toBin(toMel(LOWEST_HZ) + (band + 1.5) * step), centre + 1);
    const first = Math.max(0, Math.ceil(low));
    const last = Math.min(size / 2, Math.floor(high));
    const weights = [];
    for (let bin = first; bin <= last; bin += 1) {
      weights.push(bin <= centre ? (bin - low) / (centre - low) : (high - bin) / (high - centre));
    }
    const total = weights.reduce((sum, value) => sum + value, 0) || 1;
    return { first, weights: weights.map((value) => value / total) };
  });
}
