// The real-life test: an emotion is meant, a clip recorded, and a table grows of what was meant and what was heard.

import { element, paint, percent } from "./words.js";

const KEPT = "The server keeps these clips, with what was meant.";

const find = (id) => document.getElementById(id);

export class RealLife {
  constructor(emotions) {
    this.emotions = emotions;
    this.tally = {};
    this.where = "";
    find("intended").replaceChildren(...emotions.map(choice));
  }

  get intended() {
    return find("intended").querySelector("input:checked").value;
  }

  // `kept` is what the server has, null where nothing is kept.
  begin(kept, isLocal) {
    this.where = kept ? KEPT : `${isLocal ? "In this browser nothing is kept" : "This server keeps no clips"}: the table lasts until you leave the page.`;
    if (kept) this.tally = kept.tally;
    this.#draw();
  }

  // The server's table after a clip, or this page's own where nothing is kept.
  add(intended, heard, kept) {
    if (kept) {
      this.tally = kept.tally;
    } else {
      const row = { ...this.tally[intended] };
      row[heard] = (row[heard] ?? 0) + 1;
      this.tally = { ...this.tally, [intended]: row };
    }
    this.#draw([intended, heard]);
  }

  show(visible) {
    find("prompt").hidden = !visible;
    find("tally").hidden = !visible;
  }

  #draw(latest) {
    const count = (meant, heard) => this.tally[meant]?.[heard] ?? 0;
    const rows = [...new Set([...this.emotions, ...Object.keys(this.tally)])];
    const total = rows.reduce((sum, meant) => sum + Object.values(this.tally[meant] ?? {}).reduce((one, other) => one + other, 0), 0);
    const agreeing = rows.reduce((sum, meant) => sum + count(meant, meant), 0);
    const score = total ? `${agreeing} of ${total} agree, ${percent(agreeing / total)}. ` : "Nothing recorded yet. ";
    find("tally-words").textContent = score + this.where;
    find("matrix").replaceChildren(
      element("caption", { class: "unseen" }, "Rows: the emotion that was meant. Columns: the one that was heard."),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "meant ↓  heard →"), ...this.emotions.map(columnHead))),
      element("tbody", {}, ...rows.map((meant) => this.#row(meant, count, latest))),
    );
  }

  #row(meant, count, latest) {
    const sum = Math.max(1, Object.values(this.tally[meant] ?? {}).reduce((one, other) => one + other, 0));
    const cells = this.emotions.map((heard) => {
      const number = count(meant, heard);
      const isLatest = latest?.[0] === meant && latest[1] === heard;
      const cell = element("td", { "data-count": number > 0, "data-diagonal": meant === heard, "data-latest": isLatest }, number ? String(number) : "·");
      if (number) {
        paint(cell, heard);
        cell.style.setProperty("--part", number / sum);
      }
      return cell;
    });
    return element("tr", {}, element("th", { scope: "row" }, swatch(meant), meant), ...cells);
  }
}

function columnHead(emotion) {
  return element("th", { scope: "col" }, emotion);
}

function swatch(emotion) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  paint(made, emotion);
  return made;
}

function choice(emotion, at) {
  const input = element("input", { type: "radio", name: "intended", value: emotion, checked: at === 0 });
  return element("label", {}, input, element("span", { class: "choice" }, swatch(emotion), emotion));
}
