// The answer in words and bars, and the list of segments.

import { advice, clock, element, length, paint, percent, ranked, sentence } from "./words.js";

const find = (id) => document.getElementById(id);

// Whether somebody speaks in a recording.
export function speaks({ warnings }) {
  return warnings.every(({ problem }) => problem !== "no_speech");
}

// A prediction of a whole recording.
export function showPrediction(prediction) {
  show(prediction, speaks(prediction));
  find("answer").removeAttribute("data-live");
  find("sure").textContent = surety(prediction);
  find("warnings").replaceChildren(
    ...prediction.warnings.map(({ problem, message }) =>
      element("li", {}, element("b", {}, sentence(message)), advice(problem)),
    ),
  );
}

// What is heard right now.
export function showMoment(moment) {
  show(moment, moment.speech > 0);
  find("answer").setAttribute("data-live", "");
  find("eyebrow").textContent = moment.speech ? "Right now" : "No voice right now";
  find("sure").textContent = `${percent(moment.confidence)} in the last ${(moment.end_s - moment.start_s).toFixed(1)} s`;
  find("warnings").replaceChildren();
}

// Recording has begun and there is no answer yet.
export function showWaiting(emotions, words) {
  const probabilities = Object.fromEntries(emotions.map((emotion) => [emotion, 0]));
  showMoment({ emotion: "", probabilities, confidence: 0, speech: 1, uncertain: true, start_s: 0, end_s: 0 });
  find("eyebrow").textContent = words;
  find("answer-title").textContent = "…";
  find("sure").textContent = "";
}

export function hideAnswer() {
  find("answer").hidden = true;
  find("segments").hidden = true;
  find("agreement").hidden = true;
}

// In the real-life test: whether what was heard is what was meant.
export function showAgreement(intended, heard) {
  const line = find("agreement");
  line.hidden = false;
  line.dataset.agrees = String(intended === heard);
  line.textContent = intended === heard ? `✓ You meant ${intended}. It agrees.` : `✗ You meant ${intended}. It heard ${heard}.`;
}

function show({ emotion, probabilities, uncertain }, isVoice) {
  const answer = find("answer");
  answer.hidden = false;
  answer.toggleAttribute("data-uncertain", uncertain);
  find("agreement").hidden = true;
  find("eyebrow").textContent = !isVoice ? "No speech found" : uncertain ? "Uncertain, perhaps" : "Most likely";
  find("answer-title").textContent = isVoice ? emotion : "no voice";
  paint(find("answer-title"), isVoice ? emotion : "");
  showBars(probabilities, isVoice ? emotion : "");
}

function surety(prediction) {
  if (!speaks(prediction)) return "";
  const { confidence, probabilities, uncertain, emotion } = prediction;
  const [, next] = ranked(probabilities);
  if (!uncertain) return `${percent(confidence)}. Next comes ${next[0]} with ${percent(next[1])}.`;
  return `${percent(confidence)} ${emotion}, ${percent(next[1])} ${next[0]}. Too close to a guess to rely on.`;
}

// In the order of the model, which stays the same, so that the eye finds an emotion where it was.
function showBars(probabilities, best) {
  const list = find("bars");
  const names = Object.keys(probabilities);
  if (list.dataset.names !== names.join()) {
    list.dataset.names = names.join();
    list.replaceChildren(...names.map(bar));
  }
  names.forEach((name, at) => {
    const row = list.children[at];
    row.toggleAttribute("data-best", name === best);
    row.querySelector(".fill").style.setProperty("--part", probabilities[name]);
    row.querySelector(".value").textContent = percent(probabilities[name]);
  });
}

function bar(name) {
  const fill = element("span", { class: "fill" });
  paint(fill, name);
  const rail = element("span", { class: "rail", "aria-hidden": "true" }, fill);
  return element("li", {}, element("span", { class: "name", title: name }, name), rail, element("span", { class: "value" }));
}

// Each stretch of speech as a button that leads there.
export function showSegments(timeline, note, onChoose) {
  find("segments").hidden = !timeline.segments.length;
  const speech = `${length(timeline.speech_s)} of speech in ${length(timeline.duration_s)}.`;
  find("segments-note").textContent = note || `${speech} Choose one to hear it.`;
  find("segment-list").replaceChildren(
    ...timeline.segments.map((segment) => {
      const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
      paint(swatch, segment.emotion);
      const what = `${segment.uncertain ? "perhaps " : ""}${segment.emotion} ${percent(segment.confidence)}`;
      const when = element("span", { class: "when" }, `${clock(segment.start_s)} – ${clock(segment.end_s)}`);
      const button = element("button", { type: "button", "data-uncertain": segment.uncertain }, swatch, element("span", {}, what), when);
      button.addEventListener("click", () => onChoose(segment));
      return element("li", {}, button);
    }),
  );
}

export function markSegment(at) {
  [...find("segment-list").children].forEach(({ firstChild }, place) => {
    if (place === at) firstChild.setAttribute("aria-current", "true");
    else firstChild.removeAttribute("aria-current");
  });
}
