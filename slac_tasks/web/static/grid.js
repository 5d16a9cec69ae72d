// A set of clips at once: all get one answer but the exceptions that a person marks.

import { Loop } from "./loop.js";

export const TILES = 12;
const CODES = ["Digit1", "Digit2", "Digit3", "Digit4", "KeyQ", "KeyW", "KeyE", "KeyR", "KeyA", "KeyS", "KeyD", "KeyF"]; // by place
const LABELS = "1234QWERASDF";
const LOOK_MS = 1000; // twelve clips that were on screen for less than this were not seen
const HOLD_MS = 350; // a finger or a button held on a clip for this long looks closer
const WORDS = { yes: "Yes", no: "No", unsure: "Unsure", broken: "Broken" };

export class Grid {
  constructor(box, changed) {
    Object.assign(this, { box, changed, others: "no", clips: [], values: [], category: null, begunAt: 0, asked: 0, closer: null });
    this.tiles = [...LABELS].map((label, index) => {
      const tile = document.createElement("button");
      tile.className = "tile";
      tile.tabIndex = index ? -1 : 0;
      const key = Object.assign(document.createElement("kbd"), { textContent: label });
      const [before, word, after] = ["hidden", "word", "hidden"].map((className) => Object.assign(document.createElement("span"), { className }));
      tile.append(key, before, word, after);
      tile.addEventListener("click", () => this.held ? (this.held = false) : this.mark(index));
      tile.addEventListener("contextmenu", (event) => this.closer !== null && event.preventDefault());
      tile.addEventListener("pointerdown", () => {
        this.held = false;
        this.holding = setTimeout(() => (this.held = this.look(index)), HOLD_MS);
      });
      for (const name of ["pointerup", "pointercancel", "pointerleave"]) tile.addEventListener(name, () => this.lookAway());
      tile.addEventListener("focus", () => this.tiles.forEach((other) => (other.tabIndex = other === tile ? 0 : -1)));
      box.append(tile);
      return tile;
    });
  }

  get loops() {
    return this.clips.map((clip) => clip.loop).filter(Boolean);
  }

  get isSeen() {
    return performance.now() - this.begunAt >= LOOK_MS;
  }

  indexOf(event) {
    return CODES.indexOf(event.code);
  }

  // Load a clip; it stands in a place of its own until its turn comes.
  prepare(clips) {
    for (const clip of clips) clip.loop ??= new Loop(clip, this.box, { framed: () => {} });
  }

  // Show one clip as large as the set, with what is before and after it, for as long as it is held.
  look(index) {
    const loop = this.clips[index]?.loop;
    if (!loop) return false;
    this.lookAway();
    this.closer = index;
    this.tiles[index].classList.add("closer");
    loop.setContext(true);
    this.changed();
    return true;
  }

  lookAway() {
    clearTimeout(this.holding);
    if (this.closer === null) return;
    this.tiles[this.closer].classList.remove("closer");
    this.clips[this.closer]?.loop?.setContext(false);
    this.closer = null;
    this.changed();
  }

  // How many videos the clips come from: a clip's name begins with its video's.
  get videos() {
    return new Set(this.clips.map((clip) => clip.clip_id.slice(0, clip.clip_id.lastIndexOf(":")))).size;
  }

  ask(clips, category, framed) {
    this.lookAway();
    const asked = (this.asked += 1);
    const before = this.clips.filter((clip) => !clips.includes(clip));
    // A screen that was not full and is filled up keeps its marks.
    const marks = new Map(this.clips.map((clip, index) => [clip, this.values[index]]));
    const given = (clip) => (clip.vote?.answer === this.others ? null : (clip.vote?.answer ?? null));
    const values = clips.map((clip) => (marks.has(clip) ? marks.get(clip) : given(clip)));
    Object.assign(this, { clips, category, values, begunAt: performance.now() });
    this.prepare(clips);
    for (const clip of before) clip.loop?.rest(), clip.loop && this.box.prepend(clip.loop.video), clip.loop?.video.classList.remove("shown");
    clips.forEach((clip, index) => {
      const { loop } = clip;
      Object.assign(loop, {
        framed: (when) => asked === this.asked && framed(when),
        dead: () => asked === this.asked && this.set(index, "broken"),
      });
      this.tiles[index].prepend(loop.video);
      loop.video.classList.add("shown");
      if (!marks.has(clip)) loop.play();
    });
    this.draw();
  }

  clear() {
    this.lookAway();
    for (const clip of this.clips) clip.loop?.remove(), (clip.loop = null);
    Object.assign(this, { clips: [], values: [] });
    this.draw();
  }

  setRate(rate) {
    for (const loop of this.loops) loop.setRate(rate);
  }

  // An exception, unsure, broken, and back to what all the others get.
  mark(index) {
    if (!this.clips[index]) return;
    const turn = [null, this.others === "no" ? "yes" : "no", "unsure", "broken"];
    // A mark with the answer of all the others is not among them: from there it goes on to the exception.
    this.set(index, turn[(Math.max(0, turn.indexOf(this.values[index])) + 1) % turn.length]);
  }

  set(index, value) {
    this.values[index] = value;
    this.draw();
    this.changed();
  }

  get hasMarks() {
    return this.values.some((value) => value != null);
  }

  // Say what all clips get that are not marked. A mark is what a person said of that clip: it stays, whatever the others get.
  setOthers(value) {
    this.others = value;
    this.draw();
  }

  // Whether to ask before all others get this answer: no to every clip is what somebody says who overlooks one, and
  // marks with this very answer were meant as exceptions from the other one.
  isDoubtful(value) {
    const isAllNo = value === "no" && this.clips.every((_, index) => (this.values[index] ?? value) === "no");
    return isAllNo || (value !== this.others && this.values.includes(value));
  }

  move(key) {
    const columns = getComputedStyle(this.box).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
    this.tiles[this.tiles.indexOf(document.activeElement) + step]?.focus();
  }

  // What is said of each clip that could be seen; one that has not come stays in hand.
  answers() {
    return this.clips
      .map((clip, index) => ({ clip, value: this.values[index] ?? this.others }))
      .filter(({ clip }) => clip.loop?.isSeen);
  }

  draw() {
    this.tiles.forEach((tile, index) => {
      const isThere = Boolean(this.clips[index]);
      const value = this.values[index] ?? this.others;
      tile.disabled = !isThere;
      tile.dataset.value = isThere ? value : "";
      tile.classList.toggle("marked", isThere && this.values[index] != null);
      // One after the other they are the button's name, of which the word is seen.
      const [before, word, after] = tile.querySelectorAll("span");
      before.textContent = isThere ? ` Clip ${index + 1} of ${this.clips.length}: ` : "No clip";
      word.textContent = isThere ? WORDS[value] : "";
      after.textContent = isThere ? ". Press to change" : "";
    });
  }
}
