// After a batch of answers: on which known clips an expert says otherwise.

import { open } from "./dialogs.js";
import { Loop } from "./loop.js";
import { post } from "./server.js";

const AGAIN = 5; // answers after which a batch without a known clip is asked for again

export class Feedback {
  // events: shown(text) where nothing differs, closed(ms), told() when the batch is over
  constructor(dialog, { shown, closed, told }) {
    Object.assign(this, { dialog, shown, closed, told, after: 0, answers: 0 });
  }

  begin() {
    this.answers = 0;
  }

  // Count answers of a category; `isSent` says whether all of them are with the server.
  async count(answers, category, isSent) {
    const before = this.answers;
    this.answers += answers;
    const isDue = this.after && this.answers >= this.after && Math.floor(before / AGAIN) < Math.floor(this.answers / AGAIN);
    if (!isDue || !(await isSent())) return;
    const say = (path) => post(`${path}?${new URLSearchParams({ category })}`).catch(() => null);
    const found = await say("api/feedback");
    if (!found?.is_due) return;
    // What the server does not hear was seen is told once more: a lost reply loses nothing.
    say("api/feedback/seen");
    this.answers = 0;
    this.told();
    const agreed = found.known - found.differ.length;
    const sum = `You agreed with an expert on ${agreed} of ${found.known} known ${found.known === 1 ? "clip" : "clips"} among your last ${found.answers}`;
    if (!found.differ.length) return this.shown(sum);
    this.dialog.querySelector("[data-part=sum]").textContent = `${sum}. On ${found.differ.length === 1 ? "this one" : "these"} the expert says otherwise.`;
    const list = this.dialog.querySelector("ul");
    list.replaceChildren();
    const loops = found.differ.map((clip) => {
      const item = list.appendChild(document.createElement("li"));
      const film = item.appendChild(Object.assign(document.createElement("div"), { className: "film" }));
      item.append(Object.assign(document.createElement("p"), { textContent: `You said ${clip.answer}, the expert says ${clip.known}.` }));
      const loop = new Loop(clip, film, {});
      loop.play();
      return loop;
    });
    await open(this.dialog, this.closed);
    for (const loop of loops) loop.remove();
  }
}
