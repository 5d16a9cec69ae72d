// One clip that loops in a <video>: loaded before it is wanted, standing on its first frame, started without a seek.

import { ask } from "./server.js";

const HALF_FRAME_SEC = 0.02; // a clip ends before the frame that begins at its end
const MOVED_SEC = 0.1; // played this far, a clip was seen
const CONTEXT_SEC = 2; // how much more context shows on either side of the clip
const AGAIN_MS = 1500; // how often a clip that did not load is asked for without a connection

const still = matchMedia("(prefers-reduced-motion: reduce)");
const running = new Set();

export class Loop {
  // events: framed(when) at the first frame after `play`, lost() without a connection, dead() when it cannot be played
  constructor(clip, box, { framed = () => {}, lost = () => {}, dead = () => {}, loggedOut = () => {} } = {}) {
    Object.assign(this, { clip, framed, lost, dead, loggedOut, isDead: false, isLost: false, renewed: false, rate: 1, context: false });
    this.isPaused = true;
    this.rounds = 0;
    this.wasShown = false; // a frame of it was on screen since it was asked
    const video = (this.video = document.createElement("video"));
    video.muted = true;
    video.playsInline = true;
    video.disablePictureInPicture = true;
    video.preload = "auto";
    video.tabIndex = -1;
    video.setAttribute("aria-hidden", "true");
    video.addEventListener("loadedmetadata", () => {
      this.isLost = false;
      this.rewind();
    });
    video.addEventListener("ended", () => this.again());
    video.addEventListener("error", () => this.failed());
    video.src = clip.media;
    box.prepend(video);
  }

  get edges() {
    const { start_sec: start, end_sec: end } = this.clip;
    if (!this.context) return [start, end];
    return [Math.max(0, start - CONTEXT_SEC), Math.min(this.video.duration || Infinity, end + CONTEXT_SEC)];
  }

  // Where a new address of the clip comes from.
  get source() {
    return `api/media?${new URLSearchParams({ clip_id: this.clip.clip_id, category: this.clip.category })}`;
  }

  // Where in its edges the clip is, from 0 to 1.
  get share() {
    const [start, end] = this.edges;
    return Math.min(1, Math.max(0, (this.video.currentTime - start) / (end - start)));
  }

  get isReady() {
    return this.video.readyState >= 2 && !this.video.seeking;
  }

  // Whether somebody could have seen it: it is so while it goes back to its start, too.
  get isSeen() {
    return this.wasShown || this.isReady || this.isDead;
  }

  rewind() {
    const start = this.edges[0];
    if (Math.abs(this.video.currentTime - start) > 0.005) this.video.currentTime = start;
  }

  play() {
    this.isPaused = false;
    this.rounds = 0;
    this.wasShown = false;
    this.video.playbackRate = this.rate;
    running.add(this);
    const asked = (this.asked = Symbol("asked")); // a later play has a first frame of its own
    const framed = (when) => {
      if (this.asked !== asked || this.wasShown) return;
      this.wasShown = true;
      if (!this.isPaused) this.framed(when);
    };
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(framed);
    // Some builds of WebKit have it and never call it: a clip that has moved on was seen all the same.
    const moved = () => {
      if (this.asked === asked && this.video.currentTime - this.edges[0] < MOVED_SEC) return;
      this.video.removeEventListener("timeupdate", moved);
      framed(performance.now());
    };
    this.video.addEventListener("timeupdate", moved);
    // A play that a newer one interrupts is no failure.
    this.video.play().catch(() => {});
    if (this.isDead) this.dead();
  }

  resume() {
    this.isPaused = false;
    if (this.rounds && still.matches) this.rewind();
    this.rounds = 0;
    this.video.play().catch(() => {});
  }

  pause() {
    this.isPaused = true;
    this.video.pause();
  }

  // Stop, and stand on the first frame again for the next time.
  rest() {
    running.delete(this);
    this.pause();
    this.rewind();
  }

  again() {
    this.rounds += 1;
    // Somebody who asked for less motion sees each clip once; Space plays it again.
    if (still.matches) return this.pause();
    this.rewind();
    if (!this.isPaused) this.video.play().catch(() => {});
  }

  tick() {
    if (!this.isReady || this.isPaused) return;
    const [start, end] = this.edges;
    const now = this.video.currentTime;
    if (now >= end - HALF_FRAME_SEC) this.again();
    else if (now < start - 0.1) this.rewind();
  }

  setRate(rate) {
    this.rate = this.video.playbackRate = rate;
  }

  setContext(context) {
    this.context = context;
    this.rewind();
    if (!this.isPaused) this.video.play().catch(() => {});
  }

  async failed() {
    if (!this.video.hasAttribute("src")) return;
    if (!this.renewed) {
      // The address may have ended while the person was away: ask once for a new one.
      try {
        const { media } = await ask(this.source);
        this.renewed = true;
        this.video.src = media;
        if (!this.isPaused) this.play();
        return;
      } catch (failure) {
        if (failure.status === 401) return this.loggedOut();
        if (!failure.status || failure.status >= 500) {
          this.isLost = true;
          this.lost();
          return setTimeout(() => this.failed(), AGAIN_MS);
        }
      }
    }
    this.isDead = true;
    this.dead();
  }

  remove() {
    running.delete(this);
    this.isPaused = true;
    this.video.removeAttribute("src");
    this.video.load(); // lets go of what was downloaded
    this.video.remove();
  }
}

function tick() {
  requestAnimationFrame(tick);
  for (const loop of running) loop.tick();
}
requestAnimationFrame(tick);
