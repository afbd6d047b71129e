// Plays a decoded recording from any place, and tells where it is.

export class Player {
  // `onChange(playing)` is called when it starts and stops, `onTime(seconds)` on every frame while it plays.
  constructor({ onChange, onTime }) {
    this.onChange = onChange;
    this.onTime = onTime;
    this.position = 0;
    this.buffer = null;
  }

  load(buffer) {
    this.pause();
    this.buffer = buffer;
    this.position = 0;
  }

  get playing() {
    return Boolean(this.source);
  }

  get duration() {
    return this.buffer?.duration ?? 0;
  }

  get time() {
    if (!this.source) return this.position;
    return Math.min(this.duration, this.position + this.context.currentTime - this.began);
  }

  async play() {
    if (!this.buffer || this.source) return;
    this.context ??= new AudioContext();
    await this.context.resume();
    if (this.position >= this.duration - 0.02) this.position = 0;
    this.source = this.context.createBufferSource();
    this.source.buffer = this.buffer;
    this.source.connect(this.context.destination);
    this.source.onended = () => this.#ended();
    this.began = this.context.currentTime;
    this.source.start(0, this.position);
    this.onChange(true);
    this.#follow();
  }

  pause() {
    if (!this.source) return;
    this.position = this.time;
    this.source.onended = null;
    this.source.stop();
    this.source = null;
    this.onChange(false);
  }

  async seek(seconds) {
    const playing = this.playing;
    this.pause();
    this.position = Math.min(this.duration, Math.max(0, seconds));
    this.onTime(this.position);
    if (playing) await this.play();
  }

  #ended() {
    this.source = null;
    this.position = this.duration;
    this.onTime(this.position);
    this.onChange(false);
  }

  #follow() {
    if (!this.source) return;
    this.onTime(this.time);
    requestAnimationFrame(() => this.#follow());
  }
}
