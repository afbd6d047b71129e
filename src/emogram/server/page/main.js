// The page at work: what is pressed, dropped and recorded, and what is shown for it.

import { showAgreement, showMoment, showPrediction, showSegments, showWaiting, hideAnswer, markSegment, speaks } from "./answer.js";
import { Adapting } from "./adapting.js";
import * as api from "./api.js";
import { save, toCsv, toJson, toSrt } from "./downloads.js";
import * as engines from "./engines.js";
import { inWords } from "./explanation.js";
import { Meter } from "./meter.js";
import { fillModel } from "./model.js";
import { Player } from "./player.js";
import { RealLife } from "./real-life.js";
import { MicrophoneError, microphones, Recorder } from "./recorder.js";
import { decode, fromWave, toWav } from "./sound.js";
import { Stage } from "./stage.js";
import { clock, percent } from "./words.js";

const SHORTEST_S = 0.3;
const KEPT = "It keeps a clip only where the real-life test asks it to.";
const LOCAL_NOTE = "In this browser nobody tells speech from pauses: they count as speech.";

const find = (id) => document.getElementById(id);
const now = { engine: engines.server, info: null, file: null, sound: null, prediction: null, timeline: null, job: null };
const stage = new Stage({ onSeek: (seconds) => player.seek(seconds), onToggle: () => togglePlayback() });
const meter = new Meter(find("level"));
const adapting = new Adapting({ onChange: refresh, onProblem: complain });
const player = new Player({ onChange: showPlaying, onTime: (seconds) => follow(seconds) });
let realLife = null;
let recorder = null;
let live = null;

// Says what is going on; `quietly` where the page shows it anyway, and only who hears it read needs it.
function tell(words, quietly = false) {
  find("status").classList.toggle("unseen", quietly);
  find("status").textContent = words;
}

function complain(error) {
  if (error.name === "AbortError") return;
  tell("");
  find("problem").textContent = error.message || String(error);
  find("token-form").hidden = error.status !== 401;
}

function isRealLife() {
  return document.querySelector("input[name=mode]:checked").value === "real-life";
}

// Takes away what is shown of the recording before.
function reset() {
  now.job?.abort();
  now.job = new AbortController();
  player.load(null);
  Object.assign(now, { file: null, sound: null, prediction: null, timeline: null });
  hideAnswer();
  stage.clear();
  find("transport").hidden = true;
  find("problem").textContent = "";
  setWhy(false);
}

// ---- A recording, from a file or the microphone

async function useFile(file) {
  if (!now.info) return;
  reset();
  const { max_request_bytes: most } = now.info.limits;
  if (!now.engine.isLocal && file.size > most) {
    complain(new Error(`${file.name} is larger than the ${Math.round(most / 1e6)} MB that this server takes. Cut it, or save it as MP3 or FLAC.`));
    return;
  }
  tell(`Listening to ${file.name} …`);
  const { signal } = now.job;
  const sound = await decode(file);
  if (!signal.aborted) await recognise(file, sound);
}

async function recognise(file, sound, isRecorded = false) {
  const { signal } = now.job;
  const intended = isRealLife() ? realLife.intended : null;
  Object.assign(now, { file, sound, isRecorded });
  if (sound) {
    player.load(sound.buffer);
    stage.show(sound);
  } else if (now.engine.isLocal) {
    complain(new Error("This browser cannot read the file. Turn off recognition in this browser, and the server may."));
    return;
  }
  try {
    const { prediction, kept } = await answerTo(file, sound, intended, signal);
    if (signal.aborted) return;
    now.prediction = prediction;
    if (!sound) stage.showLength(prediction.duration_s);
    showPrediction(prediction);
    if (intended) judge(intended, prediction, kept);
    showTransport();
    tell(summary(prediction), !now.engine.isLocal);
    await addTimeline(file, sound, signal);
  } catch (error) {
    if (!signal.aborted) complain(error);
  }
}

// The prediction, and in the real-life test what the server keeps of it.
async function answerTo(file, sound, intended, signal) {
  if (!intended || !isKept()) return { prediction: await now.engine.predict(file, sound, signal) };
  const kept = await api.addRecording(file, intended, signal);
  return { prediction: kept.prediction, kept };
}

function judge(intended, { emotion }, kept) {
  realLife.add(intended, emotion, kept);
  showAgreement(intended, emotion);
}

// Whether clips of the real-life test are kept: by a server that was told to, and only if it is the one that recognises.
function isKept() {
  return now.info.records && !now.engine.isLocal;
}

async function addTimeline(file, sound, signal) {
  const timeline = await now.engine.timeline(file, sound, signal);
  if (signal.aborted) return;
  now.timeline = timeline;
  stage.showSegments(timeline.segments);
  if (!isRealLife()) showSegments(timeline, now.engine.isLocal ? LOCAL_NOTE : "", ({ start_s }) => player.seek(start_s).then(() => player.play()));
  showTransport();
}

function summary(prediction) {
  if (!speaks(prediction)) return "No speech found.";
  const { emotion, confidence, uncertain } = prediction;
  const where = now.engine.isLocal ? " Recognised in this browser; nothing was uploaded." : "";
  return `${uncertain ? "Uncertain, perhaps" : "Most likely"} ${emotion}, ${percent(confidence)}.${where}`;
}

// ---- Recording

async function startRecording() {
  if (!now.info) return;
  reset();
  recorder = new Recorder({ onBlock: hear, onEnd: () => stopRecording("The microphone was unplugged.") });
  find("record").disabled = true;
  try {
    await recorder.start(find("microphone").value);
  } catch (error) {
    recorder = null;
    complain(error instanceof MicrophoneError ? error : new Error("The microphone cannot be used. Choose a file."));
    return;
  } finally {
    find("record").disabled = false;
  }
  showRecording(true);
  const { sampleRate } = recorder.context;
  stage.startLive(sampleRate);
  meter.start();
  showWaiting(now.info.labels, `Listening. First answer after ${now.info.clip_s} s`);
  live = now.engine.live(sampleRate, { onMoment: showLive, onProblem: (words) => tell(`No answers while you speak: ${words}`) });
  tell("Recording. Press Stop when you are done.");
  fillMicrophones();
}

function hear(block, sampleRate) {
  if (!recorder) return; // the last block comes after Stop
  stage.feed(block);
  meter.feed(block, sampleRate);
  live?.feed(block);
  find("elapsed").textContent = clock(recorder.seconds);
  const most = now.info.limits.max_audio_s;
  if (recorder.seconds >= most) stopRecording(`Stopped at the ${most} s that this server takes.`);
}

function showLive(moment) {
  if (!recorder) return;
  showMoment(moment);
  stage.addMoment(moment, recorder.seconds);
}

async function stopRecording(reason = "") {
  if (!recorder) return;
  const taken = recorder;
  recorder = null;
  showRecording(false);
  meter.stop();
  live.end();
  live = null;
  const { signal } = now.job;
  const { wave, sampleRate } = await taken.stop();
  if (signal.aborted) return;
  if (wave.length < SHORTEST_S * sampleRate) {
    reset();
    complain(new Error("That was too short. Press Record, speak, then press Stop."));
    return;
  }
  const name = `recording-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.wav`;
  tell(`${reason} Listening to it …`.trim());
  stage.clear();
  await recognise(new File([toWav(wave, sampleRate)], name, { type: "audio/wav" }), fromWave(wave, sampleRate), true);
}

function showRecording(recording) {
  find("record").toggleAttribute("data-recording", recording);
  find("record-label").textContent = recording ? "Stop" : "Record";
  find("choose").hidden = recording;
  find("file").disabled = recording;
  find("microphone-choice").hidden = recording;
  find("elapsed").hidden = !recording;
  find("elapsed").textContent = clock(0);
  for (const input of document.querySelectorAll("input[name=mode], input[name=intended]")) input.disabled = recording;
  find("in-browser").disabled = recording || !(now.info.downloadable && now.info.browser_runtime);
}

async function fillMicrophones() {
  const chosen = find("microphone").value;
  const options = (await microphones()).map(({ id, name }) => new Option(name, id, false, id === chosen));
  find("microphone").replaceChildren(new Option("Default microphone", ""), ...options);
}

// ---- Playback, why, downloads

function showTransport() {
  find("transport").hidden = false;
  find("play").hidden = !now.sound;
  find("clock").hidden = !now.sound;
  find("download-wav").hidden = !now.isRecorded;
  find("why").hidden = now.engine.isLocal || !now.sound || !now.info.explains || !speaks(now.prediction);
  for (const button of document.querySelectorAll("[data-download=csv], [data-download=srt]")) button.disabled = !now.timeline;
  follow(player.time);
}

function togglePlayback() {
  return player.playing ? player.pause() : player.play();
}

function showPlaying(playing) {
  find("play").toggleAttribute("data-playing", playing);
  find("play-label").textContent = playing ? "Pause" : "Play";
  follow(player.time);
}

function follow(seconds) {
  if (!now.sound) return;
  markSegment(stage.moveTo(seconds, player.playing));
  find("clock").textContent = `${clock(seconds)} / ${clock(player.duration)}`;
}

function setWhy(on, words = "") {
  find("why").setAttribute("aria-pressed", String(on));
  find("why-note").textContent = words;
  if (!on) stage.showExplanation(null);
}

async function toggleWhy() {
  if (find("why").getAttribute("aria-pressed") === "true") {
    setWhy(false);
    return;
  }
  const { signal } = now.job;
  setWhy(true, "Looking for what counted …");
  try {
    now.prediction.explanation ??= await engines.server.explain(now.file, signal);
    if (signal.aborted) return;
    stage.showExplanation(now.prediction.explanation);
    setWhy(true, inWords(now.prediction.explanation));
  } catch (error) {
    setWhy(false);
    complain(error);
  }
}

function download(form) {
  const name = now.file.name.replace(/\.[^.]*$/, "") || "recording";
  if (form === "json") save(toJson(now.prediction, now.timeline), `${name}.json`, "application/json");
  if (form === "csv") save(toCsv(now.timeline, now.info.labels), `${name}.csv`, "text/csv");
  if (form === "srt") save(toSrt(now.timeline), `${name}.srt`, "application/x-subrip");
  if (form === "wav") save(toWav(now.sound.wave, now.sound.sampleRate), `${name}.wav`);
}

// ---- Modes

async function changeMode() {
  reset();
  tell("");
  realLife.show(isRealLife());
  if (!isRealLife()) return;
  realLife.begin(isKept() ? await api.recordings() : null, now.engine.isLocal);
  await adapting.show(now.info.adapts, isKept());
}

// The server answers with another model.
async function refresh() {
  now.info = await api.model();
  now.local = null;
  fillModel(now.info);
}

async function changeEngine() {
  const wanted = find("in-browser").checked;
  reset();
  if (!wanted) {
    now.engine = engines.server;
  } else {
    find("in-browser").disabled = true;
    tell("Fetching the model …");
    try {
      now.local ??= await engines.inBrowser(now.info);
      now.engine = now.local;
    } catch (error) {
      find("in-browser").checked = false;
      complain(new Error(`The model does not run in this browser: ${error.message}`));
    }
    find("in-browser").disabled = false;
  }
  showEngine();
  if (isRealLife()) await changeMode();
}

function showEngine() {
  const { isLocal } = now.engine;
  if (find("in-browser").checked === isLocal && !find("problem").textContent) tell("");
  find("privacy-words").textContent = isLocal
    ? "Nowhere: the model runs in this browser, and nothing is uploaded or kept."
    : `To the server that gave you this page (${location.host}), and nowhere else. ${now.info.records ? KEPT : "It keeps nothing."}`;
}

function wire() {
  find("record").addEventListener("click", () => (recorder ? stopRecording() : startRecording()));
  find("file").addEventListener("change", ({ target }) => {
    if (target.files.length) useFile(target.files[0]);
    target.value = "";
  });
  find("play").addEventListener("click", togglePlayback);
  find("why").addEventListener("click", toggleWhy);
  find("in-browser").addEventListener("change", changeEngine);
  for (const input of document.querySelectorAll("input[name=mode]")) input.addEventListener("change", () => changeMode().catch(complain));
  for (const button of document.querySelectorAll("[data-download]")) button.addEventListener("click", () => download(button.dataset.download));
  find("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    api.setToken(find("token").value);
    start();
  });
  wireDrop(find("stage"), find("view"));
}

function wireDrop(target, shown) {
  const show = (event, over) => {
    event.preventDefault();
    shown.toggleAttribute("data-drop", over);
  };
  target.addEventListener("dragover", (event) => show(event, true));
  target.addEventListener("dragleave", (event) => show(event, false));
  target.addEventListener("drop", (event) => {
    show(event, false);
    const [file] = event.dataTransfer.files;
    if (file && !recorder) useFile(file);
  });
  for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
}

async function start() {
  find("problem").textContent = "";
  find("token-form").hidden = true;
  try {
    now.info = await api.model();
    fillModel(now.info);
    realLife = new RealLife(now.info.intended);
    showEngine();
    await fillMicrophones();
    document.documentElement.dataset.ready = "";
  } catch (error) {
    complain(error);
  }
}

wire();
start();
