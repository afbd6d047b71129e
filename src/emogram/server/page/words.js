// How numbers, emotions and problems are put into words and colours.

const NAMED = new Set(["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised", "boredom"]);
const OTHERS = 4;

// What to do about each problem that a recording can have; what was measured, the server says.
const ADVICE = {
  no_speech: "Nobody seems to speak here, so the answer means nothing.",
  too_short: "Say a whole sentence.",
  too_quiet: "Come closer to the microphone, or raise its level.",
  clipped: "The tops of the wave are cut off. Lower the level of the microphone, or step back.",
  mostly_silence: "Leave out the pauses before and after, or speak longer.",
  narrow_band: "Part of what tells emotions apart is missing.",
  noisy: "Try a quieter place, or come closer to the microphone.",
};

export function percent(part) {
  return `${Math.round(100 * part)} %`;
}

// 3:04.2, with hours where there are some, as timelines have it.
export function clock(seconds) {
  const tenths = Math.round(10 * Math.max(0, seconds));
  const minutes = Math.floor(tenths / 600);
  const rest = tenths % 600;
  const hours = Math.floor(minutes / 60);
  const head = hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}` : `${minutes}`;
  return `${head}:${String(Math.floor(rest / 10)).padStart(2, "0")}.${rest % 10}`;
}

// A length: 7.7 s, or 3:04.2 from a minute on.
export function length(seconds) {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : clock(seconds);
}

// The name of an emotion's custom property; a label that is not canonical gets one of a few other colours, as in pictures.
export function colourName(emotion) {
  if (NAMED.has(emotion)) return emotion;
  let sum = 0;
  for (const character of emotion) sum += character.codePointAt(0);
  return `other-${sum % OTHERS}`;
}

// Gives an element the colours of an emotion, or no colour where there is none.
export function paint(element, emotion) {
  if (!emotion) {
    element.style.removeProperty("--fill");
    element.style.removeProperty("--edge");
    return;
  }
  const name = colourName(emotion);
  element.style.setProperty("--fill", `var(--${name})`);
  element.style.setProperty("--edge", `var(--${name}-edge)`);
}

// A custom property's colour as [red, green, blue].
export function colour(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  return [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16));
}

export function advice(problem) {
  return ADVICE[problem] ?? "";
}

export function sentence(text) {
  const trimmed = text.trim();
  if (!trimmed) return "";
  const whole = trimmed[0].toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

// Emotions with their probabilities, the most probable first.
export function ranked(probabilities) {
  return Object.entries(probabilities).sort((one, other) => other[1] - one[1]);
}

// An element with attributes and children, text among them; nothing is ever parsed as HTML.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
