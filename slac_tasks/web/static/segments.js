// The page of segments. One proposed segment loops; a key says that it is right, or its two ends are moved first; the next is
// already there. What is in hand lives in work.js, the segment in segment.js, its line of time in track.js.

import { remember } from "./memory.js";
import { $, Categories, Screen } from "./screen.js";
import { Segment } from "./segment.js";
import { ask } from "./server.js";
import { Track } from "./track.js";
import { Work } from "./work.js";

const AHEAD = 2; // segments that are loaded before they are wanted
const HAND = 6; // segments in hand; the next are asked for when half of them are answered
const AGAIN_MS = 15000; // how often an empty queue is asked again
const SLOW_MS = 500; // a segment that takes longer than this to show says so
const FAR_SEC = 0.5; // how far an arrow with Shift moves an end
const ARROWS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -5, ArrowUp: 5 }; // frames

const root = $("segments");
const page = { shownAt: null, pressedAt: null, hasKeys: remember.get("keys") !== "off" };

class SegmentWork extends Work {
  source() {
    return "api/segments";
  }

  said(segment, { answer, ends }) {
    return { segment_id: segment.segment_id, answer, start_sec: ends?.[0] ?? null, end_sec: ends?.[1] ?? null };
  }
}

const events = {
  changed: () => screen.drawOutbox(),
  refused: () => screen.say("An answer was not taken: the video was withdrawn, or you answered before"),
  loggedOut: () => screen.loggedOut(),
  arrived() {
    if (root.dataset.state !== "asking") begin();
    prepare();
    draw();
  },
  nothing: empty,
  silent: (failure) => screen.failed(failure, refill, work.queue.length > 0),
};
const work = new SegmentWork(root.dataset.person, events, { path: "api/segments/votes", name: "slac.segment" });
const screen = new Screen(root, work, { what: "segments", clear: () => $("stage").classList.remove("outside"), draw });
const categories = new Categories(choose);
const track = new Track($("track"), {
  select: (end) => act((segment) => segment.select(end)),
  move: (end, seconds) => act((segment) => segment.move(end, seconds)),
  drop: () => draw(),
});
const refill = () => work.refill(HAND, false);
const current = () => (root.dataset.state === "asking" ? work.queue[0]?.loop : null);

// The segment on screen ------------------------------------------------------------------------------------------------

function loopOf(segment) {
  const isShown = () => segment === work.queue[0];
  segment.loop ??= new Segment(segment, $("stage"), {
    framed: (when) => isShown() && framed(when),
    lost: () => isShown() && draw(),
    dead: () => isShown() && framed(performance.now()),
    loggedOut: () => screen.loggedOut(),
  });
  return segment.loop;
}

function letGo(segment) {
  segment.loop?.remove();
  segment.loop = null;
}

// Load what comes next, and let go of what is past.
function prepare() {
  const ahead = work.queue.slice(0, 1 + AHEAD);
  for (const segment of ahead) loopOf(segment);
  for (const segment of work.queue) if (!ahead.includes(segment)) letGo(segment);
  for (const { clip } of work.done.slice(0, -1)) letGo(clip);
}

function begin() {
  root.dataset.state = "asking";
  $("message").hidden = true;
  page.shownAt = null;
  const segment = work.queue[0];
  const loop = loopOf(segment);
  root.dataset.segment = segment.segment_id;
  for (const other of $("stage").querySelectorAll("video.shown")) if (other !== loop.video) other.classList.remove("shown");
  for (const { clip } of work.done.slice(-1)) if (clip !== segment) clip.loop?.rest();
  loop.video.classList.add("shown");
  loop.selected = null;
  const said = segment.vote;
  if (said?.answer === "moved") loop.ends = [said.start_sec, said.end_sec];
  track.ask(loop);
  loop.play();
  setTimeout(draw, SLOW_MS);
  draw();
}

// The first frame of what is asked is on screen: the time of the answer begins.
function framed(when) {
  if (page.shownAt !== null) return;
  page.shownAt = when;
  if (page.pressedAt !== null) performance.measure("key to next segment", { start: page.pressedAt, end: when });
  page.pressedAt = null;
  draw();
}

async function empty() {
  if (work.queue.length) return;
  const { calls } = work;
  const other = categories.after(work.category.category);
  const waits = other ? "" : await screen.waits();
  if (work.calls !== calls || work.queue.length) return;
  setTimeout(() => root.dataset.state === "empty" && refill(), AGAIN_MS);
  if (other) screen.show("empty", `Nothing left in ${work.category.name}`, "", [`Go on with ${other.name}`, () => choose(other.category)]);
  else screen.show("empty", "No segment is left to answer", `${waits} New ones appear here by themselves.`.trim());
}

function tick() {
  requestAnimationFrame(tick);
  const segment = current();
  if (!segment?.isReady) return;
  track.tick();
  $("stage").classList.toggle("outside", !segment.isInside);
}

// What a person does -------------------------------------------------------------------------------------------------

function act(change) {
  const segment = current();
  if (!segment) return;
  change(segment);
  draw();
}

function answer(value, when) {
  const segment = work.queue[0];
  // No answer before the first frame: a key that is held down says nothing about a segment.
  if (!current() || page.shownAt === null) return;
  const isMoved = value === "right" && segment.loop.isMoved;
  const said = isMoved ? { answer: "moved", ends: [...segment.loop.ends] } : { answer: value };
  const before = segment.vote;
  work.answer(segment, said, (when - page.shownAt) / 1000);
  screen.say(before ? `Corrected to ${words(work.done.at(-1).vote)}` : "");
  screen.hit(value);
  page.pressedAt = when;
  work.expired().forEach(letGo);
  if (work.queue.length) begin();
  else screen.show("loading", "");
  prepare();
  refill();
}

const words = (vote) =>
  vote.answer === "moved" ? `${vote.start_sec.toFixed(2)} to ${vote.end_sec.toFixed(2)} s` : vote.answer === "absent" ? "no action" : vote.answer;

const tools = {
  undo() {
    if (!work.canUndo(false)) return;
    work.undo();
    page.pressedAt = null;
    begin();
    prepare();
    screen.announce(`Back to the segment before: you said ${words(work.queue[0].vote)}. ${question()}`);
  },
  start: () => act((segment) => segment.select(segment.selected === 0 ? null : 0)),
  end: () => act((segment) => segment.select(segment.selected === 1 ? null : 1)),
  "start-here": () => act((segment) => segment.move(0, segment.video.currentTime)),
  "end-here": () => act((segment) => segment.move(1, segment.video.currentTime)),
  whole: () => act((segment) => segment.select(null)),
  reset: () => act((segment) => segment.reset()),
  faster: () => act((segment) => segment.faster()),
  pause: () => act((segment) => (segment.isPaused ? segment.resume() : segment.pause())),
};

const answers = { y: "right", n: "absent", u: "unsure" };
const keys = { z: "undo", s: "start", e: "end", i: "start-here", o: "end-here", r: "reset", f: "faster", Escape: "whole", " ": "pause" };

function arrow(event) {
  act((segment) => {
    const far = Math.sign(ARROWS[event.key]) * Math.round(FAR_SEC * segment.clip.fps);
    const frames = event.shiftKey ? far : ARROWS[event.key];
    segment.selected === null ? segment.step(frames) : segment.nudge(segment.selected, frames);
  });
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("select, input, textarea, .guideline")) return;
  if (ARROWS[event.key]) {
    if (!current()) return;
    event.preventDefault();
    return arrow(event);
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isText = event.key.length === 1 && event.key !== " ";
  if (event.repeat || (isText && !page.hasKeys) || (key === " " && event.target.closest("button, a"))) return;
  const does = answers[key] ? () => answer(answers[key], event.timeStamp) : keys[key] && tools[keys[key]];
  if (!does) return;
  event.preventDefault();
  does();
});

for (const button of root.querySelectorAll("[data-answer]"))
  button.addEventListener("click", (event) => answer(button.dataset.answer, event.timeStamp));
for (const button of root.querySelectorAll("[data-do]")) button.addEventListener("click", () => tools[button.dataset.do]());
$("keys").addEventListener("change", (event) => {
  page.hasKeys = event.target.checked;
  remember.set("keys", page.hasKeys ? "on" : "off");
  draw();
});

// What a person sees -------------------------------------------------------------------------------------------------

const question = () => `Is this all of ${work.category.name}, from its first moment to its last?`;

function draw() {
  const segment = current();
  const said = segment && work.queue[0].vote;
  for (const button of root.querySelectorAll("[data-answer]")) {
    button.disabled = !segment;
    button.classList.toggle("was", Boolean(said) && button.dataset.answer === (said.answer === "moved" ? "right" : said.answer));
  }
  for (const button of root.querySelectorAll("[data-do]")) button.disabled = !segment;
  root.querySelector('[data-do="undo"]').disabled = !work.canUndo(false);
  root.querySelector('[data-do="reset"]').disabled = !segment?.isMoved;
  const press = (name, on) => root.querySelector(`[data-do="${name}"]`).setAttribute("aria-pressed", String(on));
  press("start", segment?.selected === 0);
  press("end", segment?.selected === 1);
  press("pause", Boolean(segment?.isPaused));
  $("right").textContent = segment?.isMoved ? "Send ends" : "Right";
  $("keys").checked = page.hasKeys;
  root.classList.toggle("no-keys", !page.hasKeys);
  $("track").classList.toggle("off", !segment);
  const shown = [
    said && `you said ${words(said)}`,
    segment && segment.selected !== null && ["the start", "the end"][segment.selected],
    segment && segment.speed !== 1 && `speed ×${segment.speed}`,
    segment?.isDead && "does not play: answer with Unsure",
    segment && !segment.isReady && !segment.isDead && page.shownAt === null && "loading…",
  ].filter(Boolean);
  $("badge").hidden = !shown.length;
  $("badge").textContent = shown.join(" · ");
  screen.drawOutbox();
  if (segment) track.draw();
  if (!work.category) return;
  $("action").textContent = `${work.category.name}?`;
  screen.drawCounts();
}

// Beginning ------------------------------------------------------------------------------------------------------------

async function choose(key) {
  for (const segment of [...work.queue, ...work.done.map((entry) => entry.clip)]) letGo(segment);
  work.choose(categories.chosen(key));
  page.shownAt = page.pressedAt = null;
  const chosen = work.category;
  screen.say("");
  screen.show("loading", "");
  const asked = ask(`api/segments/category?category=${encodeURIComponent(key)}`);
  const found = await screen.get(asked, () => choose(key), () => work.category === chosen);
  if (!found) return;
  Object.assign(chosen, found);
  Object.assign(work, { today: found.today, pace: found.pace_sec, times: [] });
  $("guideline").textContent = chosen.guideline || "No guideline is written for this category yet. Judge by its name.";
  screen.announce(question());
  draw();
  refill();
}

async function start() {
  work.outbox.send();
  const me = await screen.get(ask("api/segments/me"), start);
  if (!me) return;
  work.leaseSec = me.lease_sec;
  const first = categories.begin(me.categories);
  if (first) choose(first.category);
  else screen.show("empty", "No category is yours to review yet");
}

addEventListener("beforeunload", (event) => work.outbox.size && !work.outbox.isKept && event.preventDefault());
requestAnimationFrame(tick);
start();
