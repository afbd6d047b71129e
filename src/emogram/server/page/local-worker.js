// Runs the model in a thread of the browser, with onnxruntime-web from the server's /vendor folder.

const MOST_THREADS = 4;

let ort = null;
let session = null;

async function start({ runtime, model }) {
  ort = await import(new URL("ort.wasm.min.mjs", runtime));
  ort.env.wasm.wasmPaths = runtime;
  ort.env.wasm.numThreads = threads();
  session = await ort.InferenceSession.create(new Uint8Array(model), { executionProviders: ["wasm"] });
}

// Several need a page that is isolated, which the server's headers make of it; the page wants a processor, too.
function threads() {
  return self.crossOriginIsolated ? Math.max(1, Math.min(MOST_THREADS, Math.floor(navigator.hardwareConcurrency / 2))) : 1;
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
