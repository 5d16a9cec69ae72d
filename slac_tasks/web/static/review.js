// The review page. One clip loops at once; a key answers it; the next clip is already there. Or a set of clips that look
// alike loops, and the exceptions are marked. What is in hand lives in work.js, a clip in loop.js, answers on their way in outbox.js.

import { drawExamples, drawGuideline } from "./aside.js";
import { isOpen, open } from "./dialogs.js";
import { Feedback } from "./feedback.js";
import { Grid, TILES } from "./grid.js";
import { Keys } from "./keys.js";
import { Loop } from "./loop.js";
import { remember } from "./memory.js";
import { introduce } from "./practice.js";
import { $, Categories, Screen } from "./screen.js";
import { ask, post } from "./server.js";
import { swipes } from "./swipe.js";
import { uuid, Work } from "./work.js";

const AHEAD = 5; // clips that are loaded before they are wanted
const HAND = 12; // clips in hand; the next are asked for when half of them are answered
const AGAIN_MS = 15000; // how often an empty queue is asked again
const SLOW_MS = 500; // a clip that takes longer than this to show says so
const HASTY_MOST = 3; // answers in a row that came faster than anybody sees a clip

const root = $("review");

const page = {
  mode: "single",
  shownAt: null, // when the first frame of what is asked was on screen
  pressedAt: null, // when the key was pressed that asked for it
  isSlow: false,
  withContext: false,
  isPaused: false,
  doubted: null, // the answer for all of a set that was asked back
  hasSets: true,
  isIntroduced: true,
  hastySec: 0,
  hasty: 0, // answers in a row that came faster than that
  hasKeys: remember.get("keys") !== "off",
};

const events = {
  changed: () => screen.drawOutbox(),
  refused: (vote) => screen.say(`An answer (${vote.answer}) was not taken: the clip was withdrawn, or answered before`),
  loggedOut: () => screen.loggedOut(),
  arrived() {
    if (!asked().length) return refill();
    const isFull = page.mode === "single" || grid.clips.length === Math.min(TILES, work.set.length);
    if (root.dataset.state !== "asking" || !isFull) begin();
    prepare();
    draw();
  },
  nothing: (inSets) => (inSets === isGrid() ? empty() : refill()),
  silent: (failure) => screen.failed(failure, refill, asked().length > 0),
};
const work = new Work(root.dataset.person, events);
const screen = new Screen(root, work, { what: "clips", clear: () => grid.clear(), draw });
const categories = new Categories(choose);
const grid = new Grid($("tiles"), () => {
  page.doubted = null;
  draw();
});
const waited = (ms) => page.shownAt !== null && (page.shownAt += ms);
const feedback = new Feedback($("feedback"), {
  shown: (text) => screen.say(text),
  closed: waited,
  told() {
    for (const { clip } of work.done) letGo(clip);
    work.done = []; // what was told stands
    draw();
  },
});
const keys = new Keys(root, () => draw());
const isGrid = () => page.mode === "grid";
const asked = () => (isGrid() ? work.set : work.queue); // what can be asked now
const refill = () => work.refill(HAND, isGrid());

// The clip on screen -------------------------------------------------------------------------------------------------

function loopOf(clip) {
  clip.loop ??= new Loop(clip, $("stage"), {
    framed: (when) => clip === work.queue[0] && page.mode === "single" && framed(when),
    lost: () => clip === work.queue[0] && draw(),
    dead: () => clip === work.queue[0] && page.mode === "single" && dead(),
    loggedOut: () => screen.loggedOut(),
  });
  return clip.loop;
}

function letGo(clip) {
  clip.loop?.remove();
  clip.loop = null;
}

// Load what comes next, and let go of what is past.
function prepare() {
  const ahead = isGrid() ? work.queue.filter((clip) => clip.set_id).slice(0, 2 * TILES) : work.queue.slice(0, 1 + AHEAD);
  if (isGrid()) grid.prepare(ahead);
  else for (const clip of ahead) loopOf(clip);
  for (const clip of work.queue) if (!ahead.includes(clip)) letGo(clip);
  const kept = page.mode === "grid" ? 0 : 1;
  for (const { clip } of work.done.slice(0, work.done.length - kept)) letGo(clip);
}

function begin() {
  root.dataset.state = "asking";
  $("message").hidden = true;
  page.shownAt = null;
  page.isPaused = false;
  page.doubted = null;
  if (page.mode === "grid") {
    const set = work.set.slice(0, TILES);
    grid.ask(set, work.category, framed);
    root.dataset.clip = set[0].clip_id;
    return draw();
  }
  const clip = work.queue[0];
  const loop = loopOf(clip);
  root.dataset.clip = clip.clip_id;
  for (const other of $("stage").querySelectorAll("video.shown")) if (other !== loop.video) other.classList.remove("shown");
  for (const { clip: other } of work.done.slice(-1)) if (other !== clip) other.loop?.rest();
  for (const other of work.queue.slice(1, 3)) if (other.loop && !other.loop.isPaused) other.loop.rest();
  loop.video.classList.add("shown");
  loop.rate = page.isSlow ? 0.5 : 1;
  if (loop.context !== page.withContext) loop.setContext(page.withContext);
  loop.play();
  setTimeout(draw, SLOW_MS);
  draw();
}

// The first frame of what is asked is on screen: the time of the answer begins.
function framed(when) {
  if (page.shownAt !== null) return;
  page.shownAt = when;
  if (page.pressedAt !== null) performance.measure("key to next clip", { start: page.pressedAt, end: when });
  page.pressedAt = null;
  draw();
}

function dead() {
  page.shownAt ??= performance.now();
  draw();
}

async function empty() {
  if (asked().length) return;
  const { calls } = work;
  const other = categories.after(work.category.category);
  const waits = other || isGrid() ? "" : await screen.waits();
  if (work.calls !== calls || asked().length) return;
  setTimeout(() => root.dataset.state === "empty" && refill(), AGAIN_MS);
  if (isGrid()) return screen.show("empty", `No sets left in ${work.category.name}`, "Other clips are asked one by one.", ["Go on clip by clip", tools.grid]);
  if (other) screen.show("empty", `Nothing left in ${work.category.name}`, doneSoFar(), [`Go on with ${other.name}`, () => choose(other.category)]);
  else screen.show("empty", "Nothing left to review", `${doneSoFar()} ${waits} New clips appear here by themselves.`.trim());
}

const doneSoFar = () => (work.today ? `You answered ${work.today.toLocaleString("en")} ${work.today === 1 ? "clip" : "clips"} today.` : "");

// The time line under the clip, of a set under the one that is looked at; the loop itself is kept in loop.js.
function tick() {
  requestAnimationFrame(tick);
  const loop = isGrid() ? grid.clips[grid.closer]?.loop : work.queue[0]?.loop;
  if (root.dataset.state !== "asking" || !loop) return;
  if (!loop.isReady) return void ($("head").style.transform = "scaleX(0)");
  const [start, end] = loop.edges;
  $("head").style.transform = `scaleX(${loop.share.toFixed(3)})`;
  const [from, long] = [loop.clip.start_sec - start, loop.clip.end_sec - loop.clip.start_sec];
  $("span").style.transform = `translateX(${(100 * from) / (end - start)}%) scaleX(${long / (end - start)})`;
}

// What a person does -------------------------------------------------------------------------------------------------

function answer(value, when) {
  const clip = work.queue[0];
  // No answer before the first frame: a key that is held down says nothing about a clip.
  if (root.dataset.state !== "asking" || !clip || page.shownAt === null) return;
  const before = clip.vote?.answer;
  const seconds = (when - page.shownAt) / 1000;
  work.answer(clip, value, seconds);
  screen.say(before && before !== value ? `Corrected to ${value}` : "");
  screen.hit(value);
  page.hasty = !before && seconds < page.hastySec ? page.hasty + 1 : 0;
  if (page.hasty < HASTY_MOST) go(when);
  else brake();
  tell(before ? 0 : 1);
}

// Nobody saw these clips: ask back. The answers are sent, and count as too fast, whatever is said now.
function brake() {
  const several = page.hasty;
  page.hasty = 0;
  page.shownAt = null;
  const goOn = () => {
    go(performance.now());
    $("stage").focus();
  };
  const back = () => {
    for (let each = 0; each < several && work.canUndo(false); each += 1) work.undo();
    goOn();
  };
  screen.show("braked", "Are you sure?", `${several} answers came faster than anybody can see a clip. Leads see how often that happens.`, ["Take them back", back], ["They are right", goOn]);
  $("message-do").focus();
}

// Ask now and then, when the server has every answer, what an expert said of the known clips among them.
function tell(answers) {
  const category = work.category.category;
  const isSent = async () => {
    for (let tries = 0; work.outbox.size && tries < 50; tries += 1) await new Promise((resolve) => setTimeout(resolve, 100));
    return !work.outbox.size && work.category.category === category;
  };
  feedback.count(answers, category, isSent);
}

// Send a set: all clips that are not marked get this answer.
function send(value, when) {
  if (root.dataset.state !== "asking" || page.shownAt === null || !grid.isSeen) return;
  if (page.doubted !== value && grid.isDoubtful(value)) {
    page.doubted = value;
    if (!grid.hasMarks) setOthers(value);
    screen.announce(doubt());
    return draw();
  }
  setOthers(value);
  const answers = grid.answers();
  const seconds = (when - page.shownAt) / 1000 / Math.max(1, answers.length);
  work.answerSet(answers, seconds);
  screen.say(`${answers.length} answers given`);
  go(when);
  tell(answers.length);
}

// On to what comes next.
function go(when) {
  page.pressedAt = when;
  page.doubted = null;
  work.expired().forEach(letGo);
  if (asked().length) begin();
  else screen.show("loading", "");
  prepare();
  refill();
}

function setOthers(value) {
  grid.setOthers(value);
  if (work.category) remember.set(`others.${work.category.category}`, value);
}

const tools = {
  undo() {
    if (!work.canUndo(isGrid())) return;
    const back = work.undo();
    page.pressedAt = null;
    page.hasty = 0;
    screen.say("");
    begin();
    prepare();
    const said = work.queue[0].vote.answer;
    if (root.dataset.state === "asking") screen.announce(back === 1 ? `Back to the clip before, which you answered with ${said}. ${question()}` : `Back to the ${back} clips before.`);
  },
  slower() {
    page.isSlow = !page.isSlow;
    const rate = page.isSlow ? 0.5 : 1;
    page.mode === "grid" ? grid.setRate(rate) : work.queue[0]?.loop?.setRate(rate);
    draw();
  },
  context() {
    if (page.mode === "grid") return;
    page.withContext = !page.withContext;
    work.queue[0]?.loop?.setContext(page.withContext);
    draw();
  },
  pause() {
    const loops = page.mode === "grid" ? grid.loops : [work.queue[0]?.loop].filter(Boolean);
    if (!loops.length) return;
    const isStill = page.isPaused || loops.every((loop) => loop.isPaused);
    page.isPaused = !isStill;
    for (const loop of loops) isStill ? loop.resume() : loop.pause();
    draw();
  },
  grid() {
    if (!page.hasSets) return;
    page.mode = page.mode === "grid" ? "single" : "grid";
    remember.set("mode", page.mode);
    root.dataset.mode = page.mode;
    for (const clip of work.queue) letGo(clip);
    for (const { clip } of work.done) letGo(clip);
    grid.clear();
    if (asked().length) begin(), prepare();
    else screen.show("loading", "");
    if (work.category) screen.announce(question());
    refill();
    draw();
  },
  flip() {
    setOthers(grid.others === "no" ? "yes" : "no");
    page.doubted = null;
    screen.announce(question());
    draw();
  },
  async flag() {
    const clip = work.queue[0];
    if (isGrid() || !clip || root.dataset.state !== "asking") return;
    $("flag-comment").value = "";
    $("flag-problem").textContent = "";
    page.flagged = { flag_id: uuid(), clip_id: clip.clip_id, category: clip.category };
    await open($("flag"), waited);
  },
  help() {
    keys.draw($("help"));
    open($("help"), waited);
  },
  guideline: () => open($("whole"), waited),
  send: () => send(grid.others, performance.now()),
};
// In a set the two answers are for all of its clips.
const answers = (value, when) => (isGrid() ? send(value, when) : answer(value, when));

addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isOpen() || event.target.closest("select, input, textarea")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const onTile = event.target.closest(".tile");
  const act = actionOf(event, key, onTile);
  if (!act) return;
  event.preventDefault();
  act();
});

// What a key does now; null: what the browser does with it.
function actionOf(event, key, onTile) {
  // Space pauses, wherever in the question the focus is: Enter presses a button.
  if (key === " ") return event.target.closest(".message, aside, header") ? null : tools.pause;
  if (key === "Enter" && isGrid() && (onTile || !event.target.closest("button, a"))) return () => send(grid.others, event.timeStamp);
  if (key === "Backspace" && isGrid()) return tools.undo;
  if (isGrid() && onTile && key.startsWith("Arrow")) return () => grid.move(key);
  if (key.length > 1 || !page.hasKeys) return null;
  if (key === "?") return tools.help;
  const tile = isGrid() ? grid.indexOf(event) : -1;
  if (tile >= 0) return event.shiftKey ? () => grid.look(tile) : () => grid.mark(tile);
  const action = keys.action(key, isGrid());
  if (action in tools) return tools[action];
  return action ? () => answers(action, event.timeStamp) : null;
}

addEventListener("keyup", (event) => {
  // Firefox presses a button when Space comes up.
  if (event.key === " " && root.contains(event.target) && !event.target.closest(".message, aside, dialog, input, textarea")) event.preventDefault();
  if (event.key === "Shift" || (isGrid() && grid.indexOf(event) >= 0)) grid.lookAway();
});
addEventListener("blur", () => grid.lookAway());

for (const button of root.querySelectorAll("[data-answer]")) button.addEventListener("click", (event) => answer(button.dataset.answer, event.timeStamp));
for (const button of root.querySelectorAll("[data-answer-all]")) button.addEventListener("click", (event) => send(button.dataset.answerAll, event.timeStamp));
for (const button of root.querySelectorAll("[data-do]")) button.addEventListener("click", () => tools[button.dataset.do]());
// A button that a mouse has pressed does not keep the focus: the next key is for the clip.
root.addEventListener("click", (event) => event.detail && event.target.closest(".answers button, .tools button, .tile")?.blur());
$("usual").addEventListener("click", () => {
  keys.reset();
  keys.draw($("help"));
});
swipes($("stage"), () => !isGrid() && root.dataset.state === "asking" && !isOpen(), answer);

$("flag").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await post("api/flags", { ...page.flagged, comment: $("flag-comment").value.trim() });
    $("flag").close();
    screen.say("Flagged: a lead will see it");
  } catch (failure) {
    $("flag-problem").textContent = failure.status ? `Not kept: ${failure.message}` : "No connection: try again in a moment";
  }
});
$("keys").addEventListener("change", (event) => {
  page.hasKeys = event.target.checked;
  remember.set("keys", page.hasKeys ? "on" : "off");
  draw();
});

// What a person sees -------------------------------------------------------------------------------------------------

function question() {
  if (page.mode === "single") return `Does this clip contain ${work.category.name}?`;
  return `${lead()} ${work.category.name}`;
}

function lead() {
  if (page.mode === "single") return "Does this clip contain";
  if (grid.clips.length) return `${set()}: mark those that ${grid.others === "no" ? "contain" : "do not contain"}`;
  return grid.others === "no" ? "Mark the clips that contain" : "Mark the clips that do not contain";
}

// A set says that it is one, and of how many videos.
function set() {
  const { length } = grid.clips;
  return `A set of ${length} clips that look alike, from ${grid.videos === 1 ? "one video" : `${grid.videos} videos`}`;
}

// What is asked back before a set is sent.
function doubt() {
  const { length } = grid.answers();
  return grid.hasMarks ? `${length} times ${page.doubted}, marked ones too? Again to send` : `${length} times ${page.doubted}? Again to send`;
}

// Without a connection the clip on screen may not have come: say so in its place. Returns whether that is so.
function drawLost(isAsking, loop) {
  const isLost = Boolean(isAsking && loop && !loop.isReady && !loop.isDead && page.shownAt === null && (loop.isLost || !navigator.onLine));
  $("lost").hidden = !isLost;
  if (isLost) {
    const { size } = work.outbox;
    $("lost-more").textContent = size ? `${size} ${size === 1 ? "answer is" : "answers are"} kept here and sent when there is one.` : "It is asked for again until there is one.";
  }
  return isLost;
}

function draw() {
  const isAsking = root.dataset.state === "asking";
  const loop = page.mode === "single" ? work.queue[0]?.loop : null;
  const said = page.mode === "single" ? work.queue[0]?.vote?.answer : null;
  const isLost = drawLost(isAsking, loop);
  for (const button of root.querySelectorAll("[data-answer]")) {
    button.disabled = !isAsking || isLost;
    button.classList.toggle("was", said === button.dataset.answer);
  }
  const press = (name, on) => root.querySelectorAll(`[data-do="${name}"]`).forEach((button) => button.setAttribute("aria-pressed", String(on)));
  for (const button of root.querySelectorAll('[data-do="undo"]')) button.disabled = !work.canUndo(isGrid());
  for (const button of root.querySelectorAll(".answers.many button")) button.disabled = !isAsking;
  root.querySelector('[data-do="grid"]').hidden = !page.hasSets;
  press("slower", page.isSlow);
  press("context", page.withContext);
  press("pause", page.isPaused);
  press("grid", page.mode === "grid");
  $("keys").checked = page.hasKeys;
  root.classList.toggle("no-keys", !page.hasKeys);
  // One badge that grows at its end: several would push each other about. The grid has its own marks.
  const words = [
    isAsking && said && `you said ${said}`,
    page.withContext && "with context",
    page.isSlow && "half speed",
    isAsking && page.isPaused && "paused",
    isAsking && loop?.isDead && "does not play: answer with Broken",
    isAsking && loop && !loop.isReady && !loop.isDead && !isLost && page.shownAt === null && "loading…",
  ].filter(Boolean);
  $("badge").hidden = !words.length || page.mode === "grid";
  $("badge").textContent = words.join(" · ");
  screen.drawOutbox();
  if (!work.category) return;
  $("lead").textContent = lead();
  $("action").textContent = page.mode === "single" ? `${work.category.name}?` : work.category.name;
  const isDoubted = isGrid() && page.doubted !== null;
  const others = grid.others === "no" ? "No" : "Yes";
  $("send").textContent = isDoubted ? doubt() : grid.hasMarks ? `Send: all others are ${others}` : `Send: all are ${others}`;
  root.querySelector(".send").classList.toggle("doubted", isDoubted);
  screen.drawCounts();
}

// Beginning ------------------------------------------------------------------------------------------------------------

async function choose(key) {
  for (const clip of [...work.queue, ...work.done.map((entry) => entry.clip)]) letGo(clip);
  grid.clear();
  work.choose(categories.chosen(key));
  page.shownAt = page.pressedAt = null;
  page.hasty = 0;
  const chosen = work.category;
  feedback.begin();
  screen.say("");
  screen.show("loading", "");
  const asked = ask(`api/category?category=${encodeURIComponent(key)}`);
  const found = await screen.get(asked, () => choose(key), () => work.category === chosen);
  if (!found) return;
  Object.assign(chosen, found);
  grid.others = remember.get(`others.${key}`) === "yes" ? "yes" : "no";
  drawGuideline(chosen);
  drawExamples(chosen.examples);
  draw();
  if (!page.isIntroduced) {
    page.isIntroduced = true;
    await introduce($("welcome"), chosen, keys);
    if (work.category !== chosen) return;
  }
  screen.announce(question());
  refill();
}

async function start() {
  work.outbox.send();
  const found = await screen.get(Promise.all([ask("api/me"), ask("api/begin")]), start);
  if (!found) return;
  const [me, begin] = found;
  Object.assign(page, { isIntroduced: begin.introduced, hastySec: begin.hasty_sec, hasSets: me.has_sets });
  Object.assign(work, { leaseSec: me.lease_sec, today: me.today, pace: me.pace_sec });
  feedback.after = begin.feedback_after;
  if (!page.hasSets) page.mode = root.dataset.mode = "single";
  const first = categories.begin(me.categories);
  if (first) choose(first.category);
  else screen.show("empty", "No category is yours to review yet");
}

for (const name of ["online", "offline"]) addEventListener(name, () => draw());
addEventListener("beforeunload", (event) => work.outbox.size && !work.outbox.isKept && event.preventDefault());
if (remember.get("mode") === "grid") page.mode = root.dataset.mode = "grid";
requestAnimationFrame(tick);
start();
