// What the page says of the model, and whether it can run here.

import { element, paint } from "./words.js";

const find = (id) => document.getElementById(id);
const NOTES = {
  ready: "Nothing is uploaded. Slower, and without the checks of the sound.",
  noRuntime: "This server does not have the engine for it.",
  noFile: "This server does not hand out its model.",
};

export function fillModel(info) {
  const state = !info.downloadable ? "noFile" : info.browser_runtime ? "ready" : "noRuntime";
  find("in-browser").disabled = state !== "ready";
  find("in-browser-note").textContent = NOTES[state];
  find("runtime-how-to").hidden = state !== "noRuntime";
  find("model-chip").hidden = false;
  find("model-chip").replaceChildren(element("b", {}, info.name), `${info.labels.length} emotions`);
  find("limits-note").textContent = limits(info);
  find("known").replaceChildren(...info.labels.map(known));
  find("model-facts").replaceChildren(...facts(info).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function known(emotion) {
  const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
  paint(swatch, emotion);
  return element("li", {}, swatch, emotion);
}

function limits({ limits: most }) {
  const length = most.max_audio_s >= 120 ? `${Math.round(most.max_audio_s / 60)} minutes` : `${most.max_audio_s} s`;
  return `WAV, MP3, FLAC or Ogg, up to ${length} and ${Math.round(most.max_request_bytes / 1e6)} MB, in any language.`;
}

function facts(info) {
  const rows = [
    ["Name", info.name],
    ["Emotions", info.labels.join(", ")],
    ["Listens to", `${info.clip_s} s at a time, ${info.sample_rate / 1000} kHz`],
    ["Learnt from", info.training_corpora.join(", ")],
    ["Licence of the weights", info.licence],
    ["Scores", Object.entries(info.scores).map(score).join(", ")],
    ["Made", info.created],
  ];
  return rows.filter(([, value]) => value);
}

function score([name, value]) {
  return `${name.replaceAll("_", " ")}: ${typeof value === "number" ? Number(value.toFixed(3)) : value}`;
}
