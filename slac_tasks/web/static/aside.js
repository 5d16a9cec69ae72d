// What stands beside the clip: the guideline and the examples.

import { Loop } from "./loop.js";

export function drawGuideline(category) {
  const text = category.guideline || "No guideline is written for this category yet. Judge by its name.";
  for (const box of document.querySelectorAll("[data-part=guideline]")) box.textContent = text;
}

export function drawExamples(examples) {
  for (const kind of ["yes", "no"]) {
    const box = document.getElementById(`examples-${kind}`);
    const shown = examples.filter((example) => example.answer === kind);
    box.dataset.none = shown.length ? "" : "none yet";
    [...box.children].forEach((button, index) => {
      button.loop?.remove();
      button.loop = null;
      button.disabled = !shown[index];
      if (!shown[index]) return;
      const loop = (button.loop = new Loop(shown[index], button, {}));
      const play = () => loop.play();
      const rest = () => loop.rest();
      Object.assign(button, { onpointerenter: play, onfocus: play, onclick: play, onpointerleave: rest, onblur: rest });
    });
  }
}
