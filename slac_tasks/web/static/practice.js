// The first login: what a person is asked, what is kept of it and who sees it, and three clips whose answer is known.

import { isOpen, open } from "./dialogs.js";
import { Loop } from "./loop.js";
import { post } from "./server.js";

const CLIPS = 3;

// Up to three examples, yes and no by turns, and not in an order that one could guess.
function chosen(examples) {
  const kinds = ["yes", "no"].map((kind) => examples.filter((one) => one.answer === kind));
  const turns = [0, 1, 2].flatMap((place) => kinds.map((kind) => kind[place])).filter(Boolean).slice(0, CLIPS);
  return turns.map((clip) => [Math.random(), clip]).sort(([a], [b]) => a - b).map(([, clip]) => clip);
}

export async function introduce(dialog, category, keys) {
  const [stage, text, said] = ["stage", "text", "said"].map((name) => dialog.querySelector(`[data-part=${name}]`));
  const buttons = Object.fromEntries([...dialog.querySelectorAll("[data-step]")].map((button) => [button.dataset.step, button]));
  const clips = chosen(category.examples);
  const show = (...names) => Object.entries(buttons).forEach(([name, button]) => (button.hidden = !names.includes(name)));
  const pressed = () => new Promise((resolve) => {
    const done = (step) => {
      for (const button of Object.values(buttons)) button.onclick = null;
      dialog.onkeydown = null;
      resolve(step);
    };
    for (const [name, button] of Object.entries(buttons)) button.onclick = () => done(name);
    dialog.onkeydown = (event) => {
      const step = { [keys.map.yes]: "yes", [keys.map.no]: "no" }[event.key.toLowerCase()];
      if (step && !buttons[step].hidden) event.preventDefault(), done(step);
    };
  });
  buttons.begin.textContent = clips.length ? `Try ${clips.length} clips` : "Begin";
  show("begin", ...(clips.length ? ["skip"] : []));
  const closed = open(dialog).then(() => "skip");
  const step = () => Promise.race([pressed(), closed]);
  let right = 0;
  if ((await step()) === "begin") {
    text.hidden = true;
    for (const [place, clip] of clips.entries()) {
      stage.hidden = false;
      said.textContent = `Clip ${place + 1} of ${clips.length}: does it contain ${category.name}?`;
      show("yes", "no", "skip");
      const loop = new Loop(clip, stage, {});
      loop.video.classList.add("shown");
      loop.play();
      buttons.yes.focus();
      const answer = await step();
      if (answer !== "yes" && answer !== "no") {
        loop.remove();
        break;
      }
      right += answer === clip.answer;
      said.textContent = answer === clip.answer ? `Right: an expert says ${clip.answer}, too.` : `An expert says ${clip.answer}. Look at the clip again.`;
      show("next");
      buttons.next.textContent = place + 1 < clips.length ? "Next clip" : "See the sum";
      buttons.next.focus();
      const next = await step();
      loop.remove();
      if (next !== "next") break;
      if (place + 1 < clips.length) continue;
      stage.hidden = true;
      said.textContent = `${right} of ${clips.length} as the experts. Nothing of this was kept; from here on it is.`;
      show("begin");
      buttons.begin.textContent = "Begin";
      buttons.begin.focus();
      await step();
    }
  }
  if (isOpen()) dialog.close();
  // Not told again; without a connection it is, the next time.
  await post("api/introduced").catch(() => {});
}
