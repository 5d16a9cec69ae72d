// The page of segments. One proposed segment loops; a key says that it is right, or its two ends are moved first; the next is
// already there. What is in hand lives in work.js, the segment in segment.js, its line of time in track.js.

import { remember } from "./memory.js";
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

const $ = (id) => document.getElementById(id);
const root = $("segments");
const page = { categories: [], shownAt: null, pressedAt: null, hasKeys: remember.get("keys") !== "off" };

class SegmentWork extends Work {
  source() {
    return "api/segments";
  }

  said(segment, { answer, ends }) {
    return { segment_id: segment.segment_id, answer, start_sec: ends?.[0] ?? null, end_sec: ends?.[1] ?? null };
  }
}

const events = {
  changed: drawStatus,
  refused: () => say("An answer was not taken: the video was withdrawn, or you answered before"),
  loggedOut,
  arrived() {
    if (root.dataset.state !== "asking") begin();
    prepare();
    draw();
  },
  nothing: empty,
  silent(failure) {
    if (failure.status === 401) return loggedOut();
    if (failure.status && failure.status < 500) return show("ended", "You cannot answer these segments", failure.message);
    if (!work.queue.length) show("waiting", "No answer from the server", "Your answers are kept; it is asked again in a moment.");
    setTimeout(refill, 2000);
  },
};
const work = new SegmentWork(root.dataset.person, events, { path: "api/segments/votes", name: "slac.segment" });
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
    loggedOut,
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

function empty() {
  if (work.queue.length) return;
  setTimeout(() => root.dataset.state === "empty" && refill(), AGAIN_MS);
  const other = page.categories.find((category) => category.category !== work.category.category && category.is_open);
  if (other) show("empty", `Nothing left in ${work.category.name}`, "", `Go on with ${other.name}`, () => choose(other.category));
  else show("empty", "No segment is left to answer", "New ones appear here by themselves.");
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
  say(before ? `Corrected to ${words(work.done.at(-1).vote)}` : "");
  const button = root.querySelector(`[data-answer="${value}"]`);
  button.classList.add("hit");
  setTimeout(() => button.classList.remove("hit"), 160);
  page.pressedAt = when;
  work.expired().forEach(letGo);
  if (work.queue.length) begin();
  else show("loading", "");
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
    announce(`Back to the segment before: you said ${words(work.queue[0].vote)}. ${question()}`);
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

function say(text) {
  $("status").textContent = text;
  $("status").title = text;
}

function announce(text) {
  $("announce").textContent = text;
}

// Whether answers wait; the place for it is above the segment and always there, so that nothing moves.
function drawStatus() {
  const { size, isLost, isKept } = work.outbox;
  $("badge-lost").hidden = !isLost && isKept;
  if (!isKept) $("badge-lost").textContent = "This browser keeps nothing: leave the page open until all answers are sent";
  else if (isLost) $("badge-lost").textContent = `No connection. ${size} ${size === 1 ? "answer is" : "answers are"} kept here and sent later`;
  if (isLost) root.dataset.waited = "true";
  else if (root.dataset.waited && !size) {
    delete root.dataset.waited;
    say("All answers are sent");
  }
}

function show(state, text, more = "", label = "", does = null) {
  root.dataset.state = state;
  $("stage").classList.remove("outside");
  $("message").hidden = !text;
  $("message-text").textContent = text;
  $("message-more").textContent = more;
  $("message-do").hidden = !label;
  $("message-do").textContent = label;
  $("message-do").onclick = does;
  if (text) announce(`${text}. ${more}`);
  draw();
}

function loggedOut() {
  show("ended", "You are logged out", work.outbox.size ? "Your answers are kept here until you log in again." : "", "Log in again", () => location.reload());
}

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
  drawStatus();
  if (segment) track.draw();
  if (!work.category) return;
  $("action").textContent = `${work.category.name}?`;
  const { answered, remaining, remaining_most: most } = work.category;
  $("left").textContent = remaining >= most ? `${most.toLocaleString("en")}+` : remaining.toLocaleString("en");
  $("today").textContent = work.today.toLocaleString("en");
  $("progress").value = answered + remaining ? answered / (answered + remaining) : 0;
  const pace = work.medianSec;
  $("pace").textContent = pace === null ? "–" : `${pace.toFixed(1)} s`;
}

// Beginning ------------------------------------------------------------------------------------------------------------

async function choose(key) {
  for (const segment of [...work.queue, ...work.done.map((entry) => entry.clip)]) letGo(segment);
  work.choose({ ...page.categories.find((category) => category.category === key), answered: 0, remaining: 0, remaining_most: 1000 });
  page.shownAt = page.pressedAt = null;
  const chosen = work.category;
  $("category").value = key;
  history.replaceState(null, "", `?category=${encodeURIComponent(key)}`);
  say("");
  show("loading", "");
  try {
    const found = await ask(`api/segments/category?category=${encodeURIComponent(key)}`);
    if (work.category !== chosen) return;
    Object.assign(chosen, found);
    Object.assign(work, { today: found.today, pace: found.pace_sec, times: [] });
  } catch (failure) {
    if (work.category !== chosen) return;
    if (failure.status === 401) return loggedOut();
    if (failure.status && failure.status < 500) return show("ended", "You cannot answer these segments", failure.message);
    show("waiting", "No answer from the server", "It is asked again in a moment.");
    return setTimeout(() => work.category === chosen && choose(key), 2000);
  }
  $("guideline").textContent = chosen.guideline || "No guideline is written for this category yet. Judge by its name.";
  announce(question());
  draw();
  refill();
}

async function start() {
  work.outbox.send();
  try {
    const me = await ask("api/segments/me");
    page.categories = me.categories;
    work.leaseSec = me.lease_sec;
  } catch (failure) {
    if (failure.status === 401) return loggedOut();
    if (failure.status && failure.status < 500) return show("ended", "You cannot answer segments", failure.message);
    show("waiting", "No answer from the server", "It is asked again in a moment.");
    return setTimeout(start, 2000);
  }
  const select = $("category");
  select.replaceChildren(
    ...page.categories.map(({ category, name, is_open: isOpen }) => new Option(isOpen ? name : `${name} (nothing left)`, category)),
  );
  select.disabled = !page.categories.length;
  if (!page.categories.length) return show("empty", "No category is yours to review yet");
  const wanted = new URLSearchParams(location.search).get("category");
  choose((page.categories.find((category) => category.category === wanted) ?? page.categories[0]).category);
}

$("category").addEventListener("change", (event) => {
  choose(event.target.value);
  event.target.blur();
});
addEventListener("beforeunload", (event) => work.outbox.size && !work.outbox.isKept && event.preventDefault());
requestAnimationFrame(tick);
start();
