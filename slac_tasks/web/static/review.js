// The review page. One clip loops at once; a key answers it; the next clip is already there.
//
// An answer is kept in this browser until the server has it: its id is made here, so sending it again is harmless.

const AHEAD = 4; // clips whose first frames are loaded before they are wanted
const CONTEXT_SEC = 2; // how much more context shows on either side of the clip
const HALF_FRAME_SEC = 0.02; // a clip ends before the frame that begins at its end
const AGAIN_MS = 15000; // how often an empty queue is asked again

const $ = (id) => document.getElementById(id);
const root = $("review");
const person = root.dataset.person;
const shelf = `slac.vote.${person}.`;

const page = {
  categories: [],
  category: null, // what is reviewed now
  leaseSec: 120,
  queue: [], // clips to come; the first is on screen
  done: [], // {clip, vote} of this session, newest last
  seen: new Set(), // keys of clips answered in this session
  correcting: null, // the vote that the next answer supersedes
  shownAt: null, // when the clip's first frame was on screen
  slow: false,
  context: false,
  paused: false,
  fetching: false,
  times: [],
  today: 0, // clips answered today, other sessions included
  pace: null, // median seconds of an answer today, before this session
};

const keyOf = (clip) => `${clip.category}/${clip.clip_id}`;

// Talking to the server ----------------------------------------------------------------------------------------

class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { Accept: "application/json", ...options.headers } });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, typeof body.detail === "string" ? body.detail : "");
  return body;
}

// Answers waiting to be sent: one entry of localStorage each, in the order in which they were given.

const memory = new Map(); // where a browser keeps nothing, answers live as long as the page
let counter = 0;

function keep(vote) {
  const name = `${shelf}${String(Date.now()).padStart(15, "0")}.${String((counter += 1)).padStart(6, "0")}.${vote.vote_id}`;
  memory.set(name, vote);
  try {
    localStorage.setItem(name, JSON.stringify(vote));
  } catch {
    say("This browser keeps nothing: do not close the page while answers wait", true);
  }
}

function drop(name) {
  memory.delete(name);
  try {
    localStorage.removeItem(name);
  } catch {}
}

function recover() {
  try {
    for (const name of Object.keys(localStorage).filter((name) => name.startsWith(shelf)))
      memory.set(name, JSON.parse(localStorage.getItem(name)));
  } catch {}
}

let sending = false;
let pauseMs = 500;

async function send() {
  if (sending) return;
  sending = true;
  try {
    while (memory.size) {
      const name = [...memory.keys()].sort()[0];
      try {
        await ask("api/votes", {
          method: "POST",
          headers: { "Content-Type": "application/json", "X-Requested-With": "slac" },
          body: JSON.stringify(memory.get(name)),
        });
        drop(name);
        pauseMs = 500;
      } catch (failure) {
        if (failure.status === 401) return loggedOut();
        if (failure.status && failure.status < 500 && failure.status !== 429) {
          drop(name);
          say(`One answer was not taken: ${failure.detail || failure.status}`, true);
          continue;
        }
        waiting();
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        pauseMs = Math.min(pauseMs * 2, 8000);
        continue;
      }
      if ($("status").dataset.kind === "waiting") memory.size ? waiting() : say("All answers are sent");
    }
  } finally {
    sending = false;
  }
}

function waiting() {
  say(`${memory.size} ${memory.size === 1 ? "answer waits" : "answers wait"} to be sent; go on`, true, "waiting");
}

function loggedOut() {
  show("ended", "You are logged out", memory.size ? "Your answers are kept here until you log in again." : "", "Log in again", () =>
    location.reload(),
  );
}

// The clips ----------------------------------------------------------------------------------------------------

async function refill() {
  if (page.fetching || page.queue.length > AHEAD) return;
  page.fetching = true;
  const category = page.category;
  try {
    const query = new URLSearchParams({ category: category.category, most: Math.min(12, page.queue.length + memory.size + AHEAD + 2) });
    const clips = await ask(`api/clips?${query}`);
    if (page.category !== category) return;
    const known = new Map(page.queue.map((clip) => [keyOf(clip), clip]));
    const now = Date.now();
    for (const clip of clips) {
      if (known.has(keyOf(clip))) known.get(keyOf(clip)).leasedAt = now;
      else if (!page.seen.has(keyOf(clip))) page.queue.push({ ...clip, leasedAt: now });
    }
    if (page.queue.length) {
      if (root.dataset.state !== "asking") begin();
      prepare();
    } else empty();
  } catch (failure) {
    if (failure.status === 401) loggedOut();
    else if (failure.status === 403) show("ended", "You cannot answer clips", failure.message);
    else {
      if (!page.queue.length) show("waiting", "No answer from the server", "It is asked again in a moment.");
      setTimeout(refill, 2000);
    }
  } finally {
    page.fetching = false;
  }
}

function empty() {
  const other = page.categories.find((category) => category !== page.category && category.open > 0);
  if (other) show("empty", `Nothing left in ${page.category.name}`, "", `Go on with ${other.name}`, () => choose(other));
  else show("empty", "Nothing left to review", "New clips appear here by themselves.");
  setTimeout(() => root.dataset.state === "empty" && refill(), AGAIN_MS);
}

function videoOf(clip) {
  if (clip.video) return clip.video;
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.disablePictureInPicture = true;
  video.preload = "auto";
  video.tabIndex = -1;
  video.setAttribute("aria-label", "The clip, without sound");
  video.addEventListener("loadedmetadata", () => (video.currentTime = clip.start_sec));
  video.addEventListener("ended", () => clip === page.queue[0] && restart(clip));
  video.addEventListener("error", () => failed(clip));
  video.src = clip.media;
  $("stage").prepend(video);
  return (clip.video = video);
}

async function failed(clip) {
  if (!clip.video) return;
  if (!clip.renewed) {
    // The address may have ended while the person was away: ask once for a new one.
    clip.renewed = true;
    try {
      const query = new URLSearchParams({ clip_id: clip.clip_id, category: clip.category });
      clip.video.src = (await ask(`api/media?${query}`)).media;
      if (clip === page.queue[0]) play(clip);
      return;
    } catch (failure) {
      if (failure.status === 401) return loggedOut();
    }
  }
  clip.dead = true;
  if (clip === page.queue[0]) dead();
}

function dead() {
  show("asking", "This clip does not play", "Press B to say so.");
  page.shownAt = performance.now();
}

// Load what comes next, and let go of what is past.
function prepare() {
  const wanted = new Set([...page.queue.slice(0, 1 + AHEAD), ...page.done.slice(-1).map((entry) => entry.clip)]);
  for (const clip of wanted) videoOf(clip);
  for (const { clip } of page.done)
    if (clip.video && !wanted.has(clip)) {
      clip.video.removeAttribute("src");
      clip.video.load();
      clip.video.remove();
      clip.video = null;
    }
}

const edges = (clip) =>
  page.context
    ? [Math.max(0, clip.start_sec - CONTEXT_SEC), Math.min(clip.video.duration || Infinity, clip.end_sec + CONTEXT_SEC)]
    : [clip.start_sec, clip.end_sec];

function restart(clip) {
  clip.video.currentTime = edges(clip)[0];
  if (!page.paused) play(clip);
}

function play(clip) {
  clip.video.playbackRate = page.slow ? 0.5 : 1;
  // A play that a newer one interrupts is no failure.
  clip.video.play().catch(() => {});
}

function begin() {
  const clip = page.queue[0];
  const video = videoOf(clip);
  root.dataset.state = "asking";
  root.dataset.clip = clip.clip_id;
  $("message").hidden = true;
  page.shownAt = null;
  page.paused = false;
  for (const other of $("stage").querySelectorAll("video.shown")) {
    other.classList.remove("shown");
    other.pause();
  }
  video.classList.add("shown");
  const first = () => {
    if (clip !== page.queue[0] || page.shownAt !== null) return;
    page.shownAt = performance.now();
    draw();
  };
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(first);
  else video.addEventListener("playing", first, { once: true });
  if (clip.dead) dead();
  else if (video.readyState >= 1) restart(clip);
  else play(clip);
  draw();
}

// The loop: the clip starts again when its last frame has been seen.
function tick() {
  requestAnimationFrame(tick);
  const clip = page.queue[0];
  if (root.dataset.state !== "asking" || !clip?.video || clip.video.seeking || clip.video.readyState < 2) return;
  const [start, end] = edges(clip);
  const now = clip.video.currentTime;
  if (now >= end - HALF_FRAME_SEC || now < start - 0.1) restart(clip);
  const share = Math.min(1, Math.max(0, (now - start) / (end - start)));
  $("head").style.transform = `scaleX(${share.toFixed(3)})`;
  $("span").style.left = `${(100 * (clip.start_sec - start)) / (end - start)}%`;
  $("span").style.width = `${(100 * (clip.end_sec - clip.start_sec)) / (end - start)}%`;
}

// What a person does -------------------------------------------------------------------------------------------

function answer(value) {
  const clip = page.queue[0];
  // No answer before the first frame: a key that is held down says nothing about a clip.
  if (root.dataset.state !== "asking" || !clip || page.shownAt === null) return;
  const before = page.correcting;
  if (before && before.answer === value) return advance(clip, before);
  const vote = {
    vote_id: crypto.randomUUID?.() ?? uuid(),
    clip_id: clip.clip_id,
    category: clip.category,
    answer: value,
    seconds: (performance.now() - page.shownAt) / 1000,
    guideline_version: page.category.guideline_version,
    supersedes: before ? before.vote_id : null,
  };
  keep(vote);
  send();
  if (!before) {
    page.category.answered += 1;
    page.category.open = Math.max(0, page.category.open - 1);
    page.today += 1;
    page.times.push(vote.seconds);
  }
  say(before ? `Corrected to ${value}` : "");
  hit(value);
  advance(clip, vote);
}

function advance(clip, vote) {
  page.seen.add(keyOf(clip));
  page.queue.shift();
  page.done.push({ clip, vote });
  page.correcting = null;
  const fresh = Date.now() - page.leaseSec * 1000;
  // A clip that lay here longer than its lease may be in somebody else's hands by now.
  page.queue = page.queue.filter((next) => next.leasedAt > fresh || next.vote || discard(next));
  if (page.queue.length) {
    page.correcting = page.queue[0].vote ?? null;
    begin();
    prepare();
  } else show("loading", "");
  refill();
  draw();
}

function discard(clip) {
  clip.video?.remove();
  clip.video = null;
  return false;
}

function undo() {
  const last = page.done.pop();
  if (!last) return;
  // What was being corrected keeps its own vote, so that two steps back and one forward lose nothing.
  if (page.queue[0] && page.correcting) page.queue[0].vote = page.correcting;
  last.clip.leasedAt = Infinity;
  page.queue.unshift(last.clip);
  page.correcting = last.vote;
  begin();
  announce(`Back to the clip before, which you answered with ${last.vote.answer}. ${question()}`);
}

const tools = {
  undo,
  slower() {
    page.slow = !page.slow;
    if (page.queue[0]?.video) page.queue[0].video.playbackRate = page.slow ? 0.5 : 1;
    draw();
  },
  context() {
    page.context = !page.context;
    if (page.queue[0]?.video) restart(page.queue[0]);
    draw();
  },
  pause() {
    const clip = page.queue[0];
    if (!clip?.video) return;
    page.paused = !page.paused;
    page.paused ? clip.video.pause() : play(clip);
    draw();
  },
};

const keys = { y: ["answer", "yes"], n: ["answer", "no"], u: ["answer", "unsure"], b: ["answer", "broken"], z: ["undo"], s: ["slower"], c: ["context"], " ": ["pause"] };

addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const inField = event.target.closest("select, input, textarea");
  const onButton = event.target.closest("button, a");
  const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || inField || (event.key === " " && onButton)) return;
  event.preventDefault();
  action[0] === "answer" ? answer(action[1]) : tools[action[0]]();
});

for (const button of root.querySelectorAll("[data-answer]")) button.addEventListener("click", () => answer(button.dataset.answer));
for (const button of root.querySelectorAll("[data-do]")) button.addEventListener("click", () => tools[button.dataset.do]());

// What a person sees -------------------------------------------------------------------------------------------

const question = () => `Does this clip contain ${page.category.name}?`;

function say(text, warn = false, kind = "") {
  $("status").textContent = text;
  $("status").title = text;
  $("status").classList.toggle("warn", warn);
  $("status").dataset.kind = kind;
}

function announce(text) {
  $("announce").textContent = text;
}

function show(state, text, more = "", label = "", act = null) {
  root.dataset.state = state;
  $("message").hidden = !text;
  $("message-text").textContent = text;
  $("message-more").textContent = more;
  $("message-do").hidden = !label;
  $("message-do").textContent = label;
  $("message-do").onclick = act;
  if (text) announce(`${text}. ${more}`);
  draw();
}

function hit(value) {
  const button = root.querySelector(`[data-answer="${value}"]`);
  button.classList.add("hit");
  setTimeout(() => button.classList.remove("hit"), 160);
}

function draw() {
  const asking = root.dataset.state === "asking";
  for (const button of root.querySelectorAll("[data-answer]")) {
    button.disabled = !asking;
    button.classList.toggle("was", page.correcting?.answer === button.dataset.answer);
  }
  const press = (name, on) => root.querySelector(`[data-do="${name}"]`).setAttribute("aria-pressed", String(on));
  root.querySelector('[data-do="undo"]').disabled = !page.done.length;
  press("slower", page.slow);
  press("context", page.context);
  press("pause", page.paused);
  $("badge-correct").hidden = !page.correcting;
  $("badge-correct").textContent = page.correcting ? `you said ${page.correcting.answer}` : "";
  $("badge-context").hidden = !page.context;
  $("badge-slow").hidden = !page.slow;
  $("badge-pause").hidden = !page.paused;
  if (!page.category) return;
  const { answered, open } = page.category;
  $("left").textContent = open.toLocaleString("en");
  $("today").textContent = page.today.toLocaleString("en");
  $("progress").value = answered + open ? answered / (answered + open) : 0;
  const pace = page.times.length ? median(page.times.slice(-50)) : page.pace;
  $("pace").textContent = pace === null ? "–" : `${pace.toFixed(1)} s`;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// crypto.randomUUID exists on https and localhost alone; a demo in a private network has neither.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function choose(category) {
  for (const clip of [...page.queue, ...page.done.map((entry) => entry.clip)]) discard(clip);
  Object.assign(page, { category, queue: [], done: [], correcting: null, shownAt: null, fetching: false });
  $("category").value = category.category;
  $("action").textContent = `${category.name}?`;
  $("action").title = category.name;
  $("guideline").textContent = category.guideline || "No guideline is written for this category yet. Judge by its name.";
  history.replaceState(null, "", `?category=${encodeURIComponent(category.category)}`);
  say("");
  show("loading", "");
  announce(question());
  refill();
}

async function start() {
  recover();
  send();
  try {
    const me = await ask("api/me");
    Object.assign(page, { categories: me.categories, leaseSec: me.lease_sec, today: me.today, pace: me.pace_sec });
  } catch (failure) {
    if (failure.status === 401) return loggedOut();
    if (failure.status === 403) return show("ended", "You cannot answer clips", failure.message);
    show("waiting", "No answer from the server", "It is asked again in a moment.");
    return setTimeout(start, 2000);
  }
  const select = $("category");
  select.replaceChildren(
    ...page.categories.map((category) => new Option(category.open ? category.name : `${category.name} (nothing left)`, category.category)),
  );
  select.disabled = !page.categories.length;
  if (!page.categories.length) return show("empty", "No category is registered yet");
  const wanted = new URLSearchParams(location.search).get("category");
  choose(page.categories.find((category) => category.category === wanted) ?? page.categories[0]);
}

$("category").addEventListener("change", (event) => {
  choose(page.categories.find((category) => category.category === event.target.value));
  event.target.blur();
});
addEventListener("online", send);
addEventListener("beforeunload", (event) => memory.size && event.preventDefault());
requestAnimationFrame(tick);
start();
