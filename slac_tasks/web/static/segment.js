// One proposed segment that loops in a <video>: all of it with a second on either side, or the moment of one end.

import { Loop } from "./loop.js";

const LEAD_SEC = 1; // how much is shown before the start and after the end
const SHORTEST_SEC = 0.2; // nobody sees an action in less
const STILL_MS = 600; // how long a moved end stands still before it plays again
const SEEN_SEC = 6; // a longer segment plays faster, so that it is seen in this time
const RATES = [1, 2, 4];

export class Segment extends Loop {
  // clip: a segment as the server hands it out
  constructor(clip, box, events) {
    super(clip, box, events);
    this.ends = [clip.start_sec, clip.end_sec];
    this.selected = null; // the end that is looked at: 0, 1, or null for the whole
    this.chosenRate = null;
    this.timer = 0;
  }

  get source() {
    return `api/segments/media?${new URLSearchParams({ segment_id: this.clip.segment_id })}`;
  }

  get edges() {
    const around = this.selected === null ? this.ends : [this.ends[this.selected], this.ends[this.selected]];
    return [Math.max(0, around[0] - LEAD_SEC), Math.min(this.clip.duration_sec, around[1] + LEAD_SEC)];
  }

  get isMoved() {
    const { start_sec: start, end_sec: end } = this.clip;
    return this.ends[0] !== start || this.ends[1] !== end;
  }

  get isInside() {
    const now = this.video.currentTime;
    return now >= this.ends[0] - this.frame / 2 && now < this.ends[1] - this.frame / 2;
  }

  get frame() {
    return 1 / this.clip.fps;
  }

  // The speed at which the whole plays; the moment of an end plays as it is.
  get speed() {
    if (this.selected !== null) return 1;
    const long = this.ends[1] - this.ends[0] + 2 * LEAD_SEC;
    return this.chosenRate ?? RATES.find((rate) => long / rate <= SEEN_SEC) ?? RATES.at(-1);
  }

  faster() {
    this.chosenRate = RATES[(RATES.indexOf(this.speed) + 1) % RATES.length];
    this.setRate(this.speed);
  }

  play() {
    this.rate = this.speed;
    super.play();
  }

  // Look at one end, or at the whole again.
  select(end) {
    this.selected = end;
    clearTimeout(this.timer);
    this.setRate(this.speed);
    this.rewind();
    this.resume();
  }

  // Put an end at a time, on a frame of the video; the two never meet.
  move(end, seconds) {
    const { duration_sec: duration } = this.clip;
    const [least, most] = end === 0 ? [0, this.ends[1] - SHORTEST_SEC] : [this.ends[0] + SHORTEST_SEC, duration];
    const onFrame = Math.round(seconds * this.clip.fps) / this.clip.fps;
    this.ends[end] = Math.min(Math.max(onFrame, least), most);
    this.show(end);
  }

  nudge(end, frames) {
    this.move(end, this.ends[end] + frames * this.frame);
  }

  // Stand on the first frame inside, or the last one, and play on after a moment.
  show(end) {
    this.selected = end;
    this.pause();
    this.setRate(1);
    this.video.currentTime = this.ends[end] + (end === 0 ? 0.25 : -0.75) * this.frame;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.isPaused && this.select(this.selected), STILL_MS);
  }

  // Without an end in hand: one frame on or back, standing still.
  step(frames) {
    clearTimeout(this.timer);
    this.pause();
    this.video.currentTime = Math.min(Math.max(this.video.currentTime + frames * this.frame, 0), this.clip.duration_sec);
  }

  reset() {
    this.ends = [this.clip.start_sec, this.clip.end_sec];
    this.select(null);
  }

  rest() {
    clearTimeout(this.timer);
    this.selected = null;
    super.rest();
  }

  remove() {
    clearTimeout(this.timer);
    super.remove();
  }
}
