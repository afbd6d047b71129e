// Runs the model in a thread of the browser, with onnxruntime-web from the server's /vendor folder.

let ort = null;
let session = null;

async function start({ runtime, model }) {
  ort = await import(new URL("ort.wasm.min.mjs", runtime));
  ort.env.wasm.wasmPaths = runtime;
  ort.env.wasm.numThreads = 1; // more need headers that isolate the page
  session = await ort.InferenceSession.create(new Uint8Array(model), { executionProviders: ["wasm"] });
}

async function answer(wave) {
  const outputs = await session.run({ wave: new ort.Tensor("float32", wave, [1, wave.length]) });
  return Array.from(outputs.probabilities.data);
}

self.onmessage = async ({ data }) => {
  try {
    const value = data.wave ? await answer(data.wave) : await start(data);
    self.postMessage({ id: data.id, value });
  } catch (error) {
    self.postMessage({ id: data.id, error: String(error?.message ?? error) });
  }
};
