// Answers on their way to the server. Each is kept in this browser until the server has it: its id is made here, so
// sending it again is harmless. One entry of localStorage each, named so that they sort in the order they were given.

import { ask } from "./server.js";

const MOST = 50; // answers in one call
const PAUSE_MS = [500, 1000, 2000, 4000, 8000]; // between tries without a connection

export class Outbox {
  constructor(person, { changed, refused, loggedOut }) {
    Object.assign(this, { prefix: `slac.vote.${person}.`, changed, refused, loggedOut });
    this.memory = new Map(); // where a browser keeps nothing, answers live as long as the page
    this.isLost = false; // the last try found no server
    this.isKept = true; // the browser keeps what it is given
    this.counter = 0;
    this.sending = false;
    this.wake = () => {};
    try {
      for (const name of Object.keys(localStorage).filter((name) => name.startsWith(this.prefix)))
        this.memory.set(name, JSON.parse(localStorage.getItem(name)));
    } catch {
      this.isKept = false;
    }
    addEventListener("online", () => this.wake());
  }

  get size() {
    return this.memory.size;
  }

  get votes() {
    return [...this.memory.values()];
  }

  keep(vote) {
    this.counter += 1;
    const name = `${this.prefix}${String(Date.now()).padStart(15, "0")}.${String(this.counter).padStart(6, "0")}`;
    this.memory.set(name, vote);
    try {
      localStorage.setItem(name, JSON.stringify(vote));
    } catch {
      this.isKept = false;
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
        const { stored } = await ask("api/votes", {
          method: "POST",
          keepalive: true,
          headers: { "Content-Type": "application/json", "X-Requested-With": "slac" },
          body: JSON.stringify({ votes }),
        });
        names.forEach((name) => this.drop(name));
        votes.filter((vote) => !stored[vote.vote_id]).forEach((vote) => this.refused(vote));
        this.isLost = false;
        tries = 0;
      } catch (failure) {
        if (failure.status === 401) {
          this.loggedOut();
          break;
        }
        if (failure.status && failure.status < 500 && failure.status !== 429) {
          // Not the network: one of these is malformed for this server. Alone, the others get through.
          const bad = names.length === 1 ? names : [];
          if (!bad.length) await this.each(names);
          bad.forEach((name) => (this.refused(this.memory.get(name)), this.drop(name)));
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

  // Send answers one by one, after the server refused them together.
  async each(names) {
    for (const name of names) {
      try {
        const { stored } = await ask("api/votes", {
          method: "POST",
          headers: { "Content-Type": "application/json", "X-Requested-With": "slac" },
          body: JSON.stringify({ votes: [this.memory.get(name)] }),
        });
        if (!stored[this.memory.get(name).vote_id]) this.refused(this.memory.get(name));
      } catch (failure) {
        if (!failure.status || failure.status >= 500 || failure.status === 401 || failure.status === 429) return;
        this.refused(this.memory.get(name));
      }
      this.drop(name);
    }
  }
}
