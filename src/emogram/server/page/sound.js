// Sound as arrays: decoding, mixing down, resampling, WAV files.

// What the browser makes of a file: { wave, sampleRate, buffer }, or null where it cannot play it.
export async function decode(blob) {
  const context = new OfflineAudioContext(1, 1, 48000);
  try {
    const buffer = await context.decodeAudioData(await blob.arrayBuffer());
    return { wave: mixDown(buffer), sampleRate: buffer.sampleRate, buffer };
  } catch {
    return null;
  }
}

// A mono recording in the form that `decode` gives.
export function fromWave(wave, sampleRate) {
  const buffer = new AudioBuffer({ length: Math.max(1, wave.length), numberOfChannels: 1, sampleRate });
  buffer.copyToChannel(wave, 0);
  return { wave, sampleRate, buffer };
}

function mixDown(buffer) {
  const wave = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    const samples = buffer.getChannelData(channel);
    for (let n = 0; n < wave.length; n += 1) wave[n] += samples[n] / buffer.numberOfChannels;
  }
  return wave;
}

export async function resample(wave, from, to) {
  if (from === to) return wave;
  const context = new OfflineAudioContext(1, Math.max(1, Math.round((wave.length * to) / from)), to);
  const source = context.createBufferSource();
  source.buffer = fromWave(wave, from).buffer;
  source.connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}

export function join(blocks) {
  const whole = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}

// Samples within ±1 as 16-bit integers, the low byte first.
export function toPcm(wave) {
  const view = new DataView(new ArrayBuffer(2 * wave.length));
  for (let n = 0; n < wave.length; n += 1) {
    view.setInt16(2 * n, Math.max(-32768, Math.min(32767, Math.round(32768 * wave[n]))), true);
  }
  return view.buffer;
}

// A WAV file, mono, 16 bits.
export function toWav(wave, sampleRate) {
  const head = new DataView(new ArrayBuffer(44));
  const text = (at, characters) => [...characters].forEach((one, n) => head.setUint8(at + n, one.charCodeAt(0)));
  text(0, "RIFF");
  head.setUint32(4, 36 + 2 * wave.length, true);
  text(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true);
  head.setUint16(22, 1, true);
  head.setUint32(24, sampleRate, true);
  head.setUint32(28, 2 * sampleRate, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  text(36, "data");
  head.setUint32(40, 2 * wave.length, true);
  return new Blob([head.buffer, toPcm(wave)], { type: "audio/wav" });
}

// Largest magnitude in each of `count` equal pieces.
export function envelope(wave, count) {
  return Float32Array.from({ length: count }, (_, piece) => {
    const end = Math.floor(((piece + 1) * wave.length) / count);
    let peak = 0;
    for (let n = Math.floor((piece * wave.length) / count); n < end; n += 1) peak = Math.max(peak, Math.abs(wave[n]));
    return peak;
  });
}
