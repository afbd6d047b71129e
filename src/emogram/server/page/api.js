// The server's side of the page: requests, what it says of errors, the stream.

import { toPcm } from "./sound.js";

const TOKEN_KEY = "emogram-token";
const MOST_WAIT_S = 10;
const DONE_WAIT_MS = 3000;

// What a request came to nothing for, in words; `status` is 0 where no answer came.
export class RequestError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

export function setToken(token) {
  sessionStorage.setItem(TOKEN_KEY, token);
}

function token() {
  return sessionStorage.getItem(TOKEN_KEY);
}

export async function model() {
  return (await request("v1/model")).json();
}

export async function modelFile() {
  return (await request("v1/model/file")).arrayBuffer();
}

// What the model makes of a recording.
export async function predict(file, { signal, explain = false } = {}) {
  const answer = await (await send(`v1/predict${explain ? "?explain=true" : ""}`, file, signal)).json();
  return answer.results[0];
}

export async function timeline(file, { signal } = {}) {
  return (await send("v1/timeline", file, signal)).json();
}

export async function addRecording(file, emotion, signal) {
  return (await send(`v1/recordings?emotion=${encodeURIComponent(emotion)}`, file, signal)).json();
}

export async function recordings() {
  return (await request("v1/recordings")).json();
}

export async function adaptation(method = "GET") {
  return (await (await request("v1/adaptation", { method })).json()).adapted;
}

function send(path, file, signal) {
  const body = new FormData();
  body.append("file", file, file.name || "recording.wav");
  return request(path, { method: "POST", body, signal });
}

// A server with much to do says when to come back; it is asked again once.
async function request(path, options = {}, again = true) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: token() ? { Authorization: `Bearer ${token()}` } : {} });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError("The server does not answer. See whether `emogram serve` still runs, then try again.");
  }
  if (answer.ok) return answer;
  const wait = Number(answer.headers.get("Retry-After")) || 1;
  if (answer.status === 429 && again && wait <= MOST_WAIT_S) {
    await new Promise((resolve) => setTimeout(resolve, 1000 * wait));
    return request(path, options, false);
  }
  throw new RequestError(await wordsOf(answer), answer.status);
}

// RFC 9457: the detail, else the title.
async function wordsOf(answer) {
  try {
    const problem = await answer.json();
    return problem.detail || problem.title || `The server answers ${answer.status}.`;
  } catch {
    return `The server answers ${answer.status} ${answer.statusText}.`;
  }
}

// A WebSocket of a browser carries no header; the token goes along as a subprotocol, whose letters are few.
function base64Url(text) {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// Sends sound as it comes, and calls `onMoment` with every answer. What does not work is told once, by `onProblem`.
export class Live {
  constructor(sampleRate, { onMoment, onProblem }) {
    const address = new URL(`v1/stream?sample_rate=${Math.round(sampleRate)}`, document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    this.waiting = [];
    this.socket = token() ? new WebSocket(address, ["emogram", `bearer.${base64Url(token())}`]) : new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.waiting.splice(0).forEach((message) => this.socket.send(message));
    this.socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.done) this.socket.close();
      else if (message.probabilities) onMoment(message);
      else if (message.detail || message.error) onProblem(message.detail ?? message.error);
    };
    this.closed = new Promise((resolve) => {
      this.socket.onclose = ({ reason, wasClean }) => {
        if (!wasClean && !this.ended) onProblem(reason || "the connection was closed");
        resolve();
      };
    });
  }

  feed(block) {
    this.#send(toPcm(block));
  }

  #send(message) {
    if (this.socket.readyState === WebSocket.CONNECTING) this.waiting.push(message);
    else if (this.socket.readyState === WebSocket.OPEN) this.socket.send(message);
  }

  // The sound is at its end; resolves when the last answer is there, or when it takes too long.
  async end() {
    this.ended = true;
    this.#send(JSON.stringify({ end: true }));
    await Promise.race([this.closed, new Promise((resolve) => setTimeout(resolve, DONE_WAIT_MS))]);
    this.socket.close();
  }

  stop() {
    this.ended = true;
    this.socket.close();
  }
}
