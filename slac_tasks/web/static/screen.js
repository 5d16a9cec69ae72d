// What the pages share on which people answer: the line that says what was done, the message in the place of what is
// asked, whether answers wait, how many are left, and the choice of a category.

import { ask } from "./server.js";

const SAID_MS = 6000; // how long a line on what was done stays
const HIT_MS = 160; // how long the button of an answer is marked
const AGAIN_MS = 2000; // how long a server that is silent is left alone

export const $ = (id) => document.getElementById(id);

const many = (number) => number.toLocaleString("en");

export class Screen {
  // what: what is answered, "clips"; clear(): the page takes it off the screen; draw(): the page draws the rest of itself
  constructor(root, work, { what, clear, draw }) {
    Object.assign(this, { root, work, what, clear, draw });
    this.saying = 0;
  }

  say(text) {
    $("status").textContent = text;
    $("status").title = text;
    clearTimeout(this.saying);
    if (text) this.saying = setTimeout(() => this.say(""), SAID_MS);
  }

  // For those who hear the page.
  announce(text) {
    $("announce").textContent = text;
  }

  // Put a message in the place of what is asked; each choice is [label, what it does], two at most.
  show(state, text, more = "", ...choices) {
    this.root.dataset.state = state;
    $("message").hidden = !text;
    $("message-text").textContent = text;
    $("message-more").textContent = more;
    for (const [place, name] of ["message-do", "message-other"].entries()) {
      const [label, does] = choices[place] ?? ["", null];
      Object.assign($(name), { hidden: !label, textContent: label, onclick: does });
    }
    this.clear();
    if (text) this.announce(`${text}. ${more}`);
    this.draw();
  }

  // How much of what this person answered waits for others, in words; nothing where the server is silent.
  async waits() {
    const found = await ask("api/waiting", { signal: AbortSignal.timeout(AGAIN_MS) }).catch(() => ({}));
    const count = found[this.what] ?? 0;
    if (!count) return "";
    const counted = count < this.work.category.remaining_most ? many(count) : `${many(count)}+`;
    return `${counted} ${count === 1 ? `${this.what.slice(0, -1)} waits` : `${this.what} wait`} for somebody else, since nobody answers twice.`;
  }

  loggedOut() {
    const kept = this.work.outbox.size ? "Your answers are kept here until you log in again." : "";
    this.show("ended", "You are logged out", kept, ["Log in again", () => location.reload()]);
  }

  // The server said no, or nothing. Silence is passed over where there is still something to answer.
  failed(failure, again, isBusy = false) {
    if (failure.status === 401) return this.loggedOut();
    if (failure.status && failure.status < 500) return this.show("ended", `You cannot answer ${this.what}`, failure.message);
    if (!isBusy) this.show("waiting", "No answer from the server", "Your answers are kept; it is asked again in a moment.");
    setTimeout(again, AGAIN_MS);
  }

  // Wait for what the page cannot go on without; null: it failed, or is not wanted any more.
  async get(asked, again, isWanted = () => true) {
    try {
      const found = await asked;
      return isWanted() ? found : null;
    } catch (failure) {
      if (isWanted()) this.failed(failure, () => isWanted() && again());
      return null;
    }
  }

  hit(value) {
    const button = this.root.querySelector(`[data-answer="${value}"]`);
    button.classList.add("hit");
    setTimeout(() => button.classList.remove("hit"), HIT_MS);
  }

  // Whether answers wait; the place for it is above what is asked and always there, so that nothing moves.
  drawOutbox() {
    const { size, isLost, isKept } = this.work.outbox;
    $("badge-lost").hidden = !isLost && isKept;
    if (!isKept) $("badge-lost").textContent = "This browser keeps nothing: leave the page open until all answers are sent";
    else if (isLost) $("badge-lost").textContent = `No connection. ${size} ${size === 1 ? "answer is" : "answers are"} kept here and sent later`;
    if (isLost) this.root.dataset.waited = "true";
    else if (this.root.dataset.waited && !size) {
      delete this.root.dataset.waited;
      this.say("All answers are sent");
    }
  }

  drawCounts() {
    const { category, today, medianSec } = this.work;
    const { answered, remaining, remaining_most: most } = category;
    $("left").textContent = remaining >= most ? `${many(most)}+` : many(remaining);
    $("today").textContent = many(today);
    $("progress").value = answered + remaining ? answered / (answered + remaining) : 0;
    $("pace").textContent = medianSec === null ? "–" : `${medianSec.toFixed(1)} s`;
  }
}

// The categories of a person, and which of them is asked.
export class Categories {
  // choose(key): the person wants this one
  constructor(choose) {
    this.all = [];
    $("category").addEventListener("change", (event) => {
      choose(event.target.value);
      event.target.blur();
    });
  }

  find(key) {
    return this.all.find((one) => one.category === key);
  }

  // One with something left, other than this.
  after(key) {
    return this.all.find((one) => one.category !== key && one.is_open);
  }

  // List them; returns the one that the address names, else the first, undefined where there is none.
  begin(all) {
    this.all = all;
    const select = $("category");
    const options = (isWanted) => all.filter((one) => one.is_open === isWanted).map((one) => new Option(one.name, one.category));
    const finished = Object.assign(document.createElement("optgroup"), { label: "Nothing left" });
    finished.append(...options(false));
    select.replaceChildren(...options(true), ...(finished.children.length ? [finished] : []));
    select.disabled = !all.length;
    return this.find(new URLSearchParams(location.search).get("category")) ?? all[0];
  }

  // Show that this one is asked now, in the list and in the address; returns it as work.js wants it.
  chosen(key) {
    $("category").value = key;
    history.replaceState(null, "", `?category=${encodeURIComponent(key)}`);
    return { ...this.find(key), answered: 0, remaining: 0, remaining_most: 1000 };
  }
}
