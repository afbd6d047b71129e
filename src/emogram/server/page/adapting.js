// Has the server adapt its model to the clips that are kept, and takes that back.

import * as api from "./api.js";
import { percent } from "./words.js";

const AT_REST =
  "Say each emotion some times, four or more. Adapted to the clips above, the model tells apart the emotions that they have, two clips of each or more, and is right more often on these voices. It then answers everybody who uses this server.";
const AT_WORK = "Listening to all clips again …";

const find = (id) => document.getElementById(id);

export class Adapting {
  // `onChange` is called when another model answers, `onProblem` with what went wrong.
  constructor({ onChange, onProblem }) {
    this.onChange = onChange;
    this.onProblem = onProblem;
    find("adapt-go").addEventListener("click", () => this.#ask("POST"));
    find("adapt-undo").addEventListener("click", () => this.#ask("DELETE"));
  }

  // Whether the server adapts its model, and whether it is the one that keeps clips.
  async show(adapts, isKept) {
    find("adapt").hidden = !(isKept && adapts);
    find("adapt-how-to").hidden = !isKept || adapts;
    if (!find("adapt").hidden) this.#tell(await api.adaptation());
  }

  async #ask(method) {
    this.#enable(false);
    const before = find("adapt-words").textContent;
    if (method === "POST") find("adapt-words").textContent = AT_WORK;
    find("problem").textContent = "";
    try {
      this.#tell(await api.adaptation(method));
      await this.onChange();
    } catch (error) {
      find("adapt-words").textContent = before;
      this.onProblem(error);
    } finally {
      this.#enable(true);
    }
  }

  #enable(on) {
    for (const id of ["adapt-go", "adapt-undo"]) find(id).disabled = !on;
  }

  #tell(adapted) {
    find("adapt-words").textContent = adapted ? worth(adapted) : AT_REST;
    find("adapt-undo").hidden = !adapted;
    find("adapt-go").textContent = adapted ? "Adapt it anew to all clips" : "Adapt the model to these clips";
  }
}

function worth({ clips, emotions, before, after, notes, other_speakers: others }) {
  const earlier = before ? `, before ${percent(before.value)}` : "";
  const whose = others ? "of speakers that it was not adapted to" : "that it was not adapted to, of the same voices";
  const limits = others ? notes.map((note) => ` Note: ${note}.`).join("") : "";
  const advice = before && after.value <= before.value ? " That is no gain: go back, or record more and adapt anew." : "";
  return `Adapted to ${clips} clips: ${emotions.join(", ")}. Of clips ${whose}, it has ${percent(after.value)} right${earlier}.${limits}${advice}`;
}
