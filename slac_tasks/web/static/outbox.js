// Answers on their way to the server. Each is kept in this browser until the server has it: its id is made here, so
// sending it again is harmless. One entry of localStorage each, named so that they sort in the order they were given.

import { post } from "./server.js";

const MOST = 50; // answers in one call
const ORDER = /^\d{15}\.\d{6}$/; // behind the person, whose name may begin another one's: ada, ada.lovelace
const PAUSE_MS = [500, 1000, 2000, 4000, 8000]; // between tries without a connection

// Only an answer that is malformed for this server, or that it never asked for, can never be taken: it says so in its own
// words. Whatever else a server says, a broken proxy's 400 or 404 included, may pass.
const isFinal = ({ status, message }) => status === 422 || (status === 400 && Boolean(message));

export class Outbox {
  // path: where answers go; name: what their entries in this browser begin with
  constructor(person, { changed, refused, loggedOut }, { path = "api/votes", name = "slac.vote" } = {}) {
    Object.assign(this, { path, prefix: `${name}.${person}.`, changed, refused, loggedOut });
    this.memory = new Map(); // where a browser keeps nothing, answers live as long as the page
    this.isLost = false; // the last try found no server
    this.isKept = true; // the browser keeps what it is given
    this.counter = 0;
    this.sending = false;
    this.wake = () => {};
    try {
      this.load();
    } catch {
      this.isKept = false;
    }
    addEventListener("online", () => this.wake());
  }

  // What an earlier page kept. An entry that is no answer stays where it is, and keeps no other back.
  load() {
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith(this.prefix) || !ORDER.test(name.slice(this.prefix.length))) continue;
      try {
        const vote = JSON.parse(localStorage.getItem(name));
        if (vote.vote_id) this.memory.set(name, vote);
      } catch (failure) {
        console.warn(`${name}: is no answer: ${failure}`);
      }
    }
  }

  get size() {
    return this.memory.size;
  }

  get votes() {
    return [...this.memory.values()];
  }

  // Answers that were given at once travel in one call.
  keep(votes) {
    for (const vote of votes) {
      this.counter += 1;
      const name = `${this.prefix}${String(Date.now()).padStart(15, "0")}.${String(this.counter).padStart(6, "0")}`;
      this.memory.set(name, vote);
      try {
        localStorage.setItem(name, JSON.stringify(vote));
      } catch {
        this.isKept = false;
      }
    }
    this.send();
  }

  drop(name) {
    this.memory.delete(name);
    try {
      localStorage.removeItem(name);
    } catch {}
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    let tries = 0;
    while (this.memory.size) {
      const names = [...this.memory.keys()].sort().slice(0, MOST);
      const votes = names.map((name) => this.memory.get(name));
      try {
        const stored = await this.post(votes);
        names.forEach((name) => this.drop(name));
        votes.filter((vote) => !stored[vote.vote_id]).forEach((vote) => this.refused(vote));
        this.isLost = false;
        tries = 0;
      } catch (failure) {
        if (failure.status === 401) {
          this.loggedOut();
          break;
        }
        if (isFinal(failure)) {
          if (names.length > 1) await this.each(names);
          else this.giveUp(names[0]);
          this.changed();
          continue;
        }
        this.isLost = true;
        this.changed();
        const wait = PAUSE_MS[Math.min(tries++, PAUSE_MS.length - 1)];
        await new Promise((resolve) => {
          this.wake = resolve;
          setTimeout(resolve, wait);
        });
      }
      this.changed();
    }
    this.sending = false;
  }

  giveUp(name) {
    const vote = this.memory.get(name);
    this.drop(name);
    this.refused(vote);
  }

  async post(votes) {
    const { stored } = await post(this.path, { votes }, { keepalive: true });
    // A network's own login page answers 200 as well.
    if (!votes.every((vote) => vote.vote_id in (stored ?? {}))) throw new TypeError("not an answer of this service");
    return stored;
  }

  // Send answers one by one, after the server could not read one of them; stops at the first other failure.
  async each(names) {
    for (const name of names) {
      const vote = this.memory.get(name);
      try {
        const stored = await this.post([vote]);
        this.drop(name);
        if (!stored[vote.vote_id]) this.refused(vote);
      } catch (failure) {
        if (!isFinal(failure)) return;
        this.giveUp(name);
      }
    }
  }
}
