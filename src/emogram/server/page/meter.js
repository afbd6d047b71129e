// The level of the microphone: a bar of the loudest sample lately, and a mark that holds the loudest of the last second.

const FLOOR_DB = -60;
const OVER = 0.985;
const FALL_DB_A_S = 40;
const HOLD_S = 1;

export class Meter {
  constructor(view) {
    this.view = view;
  }

  start() {
    Object.assign(this, { level: FLOOR_DB, hold: FLOOR_DB, held_s: 0, told_s: 0 });
    this.view.hidden = false;
    this.#show(false);
  }

  feed(block, sampleRate) {
    const seconds = block.length / sampleRate;
    const peak = block.reduce((largest, sample) => Math.max(largest, Math.abs(sample)), 0);
    const level = Math.max(FLOOR_DB, Math.min(0, 20 * Math.log10(peak + 1e-9)));
    this.level = Math.max(level, this.level - FALL_DB_A_S * seconds);
    this.held_s += seconds;
    if (level >= this.hold || this.held_s > HOLD_S) Object.assign(this, { hold: level, held_s: 0 });
    this.#show(peak >= OVER);
    this.told_s += seconds;
    if (this.told_s > 0.5) this.#tell();
  }

  stop() {
    this.view.hidden = true;
  }

  #show(over) {
    this.view.style.setProperty("--level", 1 - this.level / FLOOR_DB);
    this.view.style.setProperty("--hold", 1 - this.hold / FLOOR_DB);
    this.view.toggleAttribute("data-over", over);
  }

  // Twice a second is enough for who hears it read.
  #tell() {
    this.told_s = 0;
    this.view.setAttribute("aria-valuenow", String(Math.round(this.hold)));
    this.view.setAttribute("aria-valuetext", `${Math.round(this.hold)} decibels of full scale`);
  }
}
