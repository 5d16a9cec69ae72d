// What one person has in hand: clips to come, answers given, counts. Knows nothing of the screen.

import { ask } from "./server.js";
import { Outbox } from "./outbox.js";

export const keyOf = (clip) => clip.segment_id ?? `${clip.category}/${clip.clip_id}`;

// crypto.randomUUID exists on https and localhost alone; a demo in a private network has neither.
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Work {
  constructor(person, events, outbox = {}) {
    this.outbox = new Outbox(person, events, outbox);
    this.events = events; // also: arrived(), nothing(), silent(failure)
    this.category = null;
    this.leaseSec = 120;
    this.queue = []; // clips to come; the first is on screen, in the grid the first set
    this.done = []; // {clip, vote, batch} of this session, newest last
    this.seen = new Set(this.outbox.votes.map(keyOf)); // answered, so that nothing comes twice
    this.times = [];
    this.today = 0;
    this.pace = null;
    this.batch = 0;
    this.fetching = 0; // number of the call under way, 0 when there is none
    this.calls = 0;
    this.isResumed = false; // what this person held already has been asked for
  }

  choose(category) {
    Object.assign(this, { category, queue: [], done: [], fetching: 0, isResumed: false });
  }

  // How many sets are in hand.
  get sets() {
    return new Set(this.queue.filter((clip) => clip.set_id).map((clip) => clip.set_id)).size;
  }

  // The clips of the first set in hand.
  get set() {
    const first = this.queue.find((clip) => clip.set_id);
    return first ? this.queue.filter((clip) => clip.set_id === first.set_id) : [];
  }

  source(inSets) {
    return inSets ? "api/set" : "api/clips";
  }

  // Ask for more when less than half of `hand` clips is left, or less than two sets.
  async refill(hand, inSets) {
    if (this.fetching || (inSets ? this.sets > 1 : this.queue.length > hand / 2)) return;
    const call = (this.fetching = ++this.calls);
    const category = this.category;
    try {
      const query = new URLSearchParams({ category: category.category });
      if (!inSets) query.set("most", hand - this.queue.length);
      if (!this.isResumed) query.set("held", "true");
      const clips = await ask(`${this.source(inSets)}?${query}`);
      if (this.category !== category) return;
      this.isResumed = true;
      const known = new Set(this.queue.map(keyOf));
      const leasedAt = Date.now();
      const fresh = clips.filter((clip) => !known.has(keyOf(clip)) && !this.seen.has(keyOf(clip)));
      this.queue.push(...fresh.map((clip) => ({ ...clip, leasedAt })));
      this.fetching = 0;
      (inSets ? this.sets : this.queue.length) ? this.events.arrived() : this.events.nothing(inSets);
    } catch (failure) {
      if (this.category !== category) return;
      // The answer may have been lost on the way, and with it clips that are in this person's hands now.
      this.isResumed = false;
      this.events.silent(failure);
    } finally {
      if (this.fetching === call) this.fetching = 0;
    }
  }

  // Record what was said of a clip that is in the queue.
  answer(clip, value, seconds) {
    this.outbox.keep(this.record(clip, value, seconds, null));
  }

  // Record what was said of clips that were seen together, as [{clip, value}].
  answerSet(answers, seconds) {
    this.batch += 1;
    this.outbox.keep(answers.flatMap(({ clip, value }) => this.record(clip, value, seconds, this.batch)));
  }

  // What a vote says, and of what.
  said(clip, value, batch) {
    return { clip_id: clip.clip_id, category: clip.category, answer: value, set_id: batch ? clip.set_id : null };
  }

  // Returns the vote to send, none where it was given before; in a batch it was given in the clip's set.
  record(clip, value, seconds, batch) {
    const before = clip.vote ?? null;
    let vote = before;
    const said = this.said(clip, value, batch);
    if (!before || Object.keys(said).some((name) => name !== "set_id" && before[name] !== said[name])) {
      vote = {
        vote_id: uuid(),
        ...said,
        seconds: Math.min(seconds, 86400),
        guideline_version: this.category.guideline_version,
        supersedes: before?.vote_id ?? null,
      };
    }
    if (!before) {
      this.category.answered += 1;
      this.category.remaining = Math.max(0, this.category.remaining - 1);
      this.today += 1;
      this.times.push(seconds);
    }
    this.seen.add(keyOf(clip));
    this.queue = this.queue.filter((other) => other !== clip);
    this.done.push({ clip, vote, batch });
    return vote === before ? [] : [vote];
  }

  // Let go of clips that lay here longer than their lease: they may be in somebody else's hands. Returns them.
  expired() {
    const oldest = Date.now() - this.leaseSec * 1000;
    const gone = this.queue.filter((clip) => !clip.vote && clip.leasedAt < oldest);
    this.queue = this.queue.filter((clip) => !gone.includes(clip));
    return gone;
  }

  // Whether the last answer can be taken up again: in the grid, one that was given there.
  canUndo(inSets) {
    return this.done.length > 0 && (!inSets || Boolean(this.done.at(-1).batch));
  }

  // Put the clip before, or the whole screen before, back in front; returns how many came back.
  undo() {
    const batch = this.done.at(-1)?.batch;
    const back = [];
    while (this.done.length && (back.length === 0 || (batch && this.done.at(-1).batch === batch))) {
      const { clip, vote } = this.done.pop();
      back.unshift(Object.assign(clip, { vote }));
    }
    this.queue.unshift(...back);
    return back.length;
  }

  get medianSec() {
    const sorted = this.times.slice(-50).sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    if (!sorted.length) return this.pace;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
