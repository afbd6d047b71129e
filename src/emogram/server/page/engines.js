// Who recognises: the server, or this browser. Both answer the same questions.

import * as api from "./api.js";
import { LocalModel } from "./local.js";

const RUNTIME = "vendor/onnxruntime-web/";

export const server = {
  isLocal: false,
  predict: (file, _sound, signal) => api.predict(file, { signal }),
  timeline: (file, _sound, signal) => api.timeline(file, { signal }),
  explain: (file, signal) => api.predict(file, { signal, explain: true }).then((result) => result.explanation),
  live: (sampleRate, callbacks) => new api.Live(sampleRate, callbacks),
};

// The same in this browser; loads engine and model, which takes a moment.
export async function inBrowser(info) {
  const model = new LocalModel(info);
  await model.load(new URL(RUNTIME, document.baseURI).href, await api.modelFile());
  return {
    isLocal: true,
    predict: (file, sound) => model.predict(file, sound),
    timeline: (file, sound) => model.timeline(file, sound),
    live: (sampleRate, callbacks) => model.live(sampleRate, callbacks),
  };
}
