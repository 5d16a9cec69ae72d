// The clips of a release: each plays while it is seen, and loads when it is about to be.

import { Loop } from "./loop.js";

const loops = new Map();

const GONE = "This clip does not load. Load the page again.";

function made(film) {
  const { media, clip, category, start, end } = film.dataset;
  const about = { media, clip_id: clip, category, start_sec: Number(start), end_sec: Number(end) };
  const dead = () => {
    film.textContent = GONE;
    // What a link says is part of its name, for those who speak to their computer.
    const link = film.closest("a[aria-label]");
    if (link) link.ariaLabel = `${GONE} ${link.ariaLabel}`;
  };
  return new Loop(about, film, { dead, loggedOut: () => location.reload() });
}

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting && !loops.has(target)) loops.set(target, made(target));
    if (isIntersecting) loops.get(target).play();
    else loops.get(target)?.rest();
  }
});

for (const film of document.querySelectorAll(".film")) seen.observe(film);
