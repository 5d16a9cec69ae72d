// One clip that loops, with as much of the video around it as is wanted.
import { Loop } from "./loop.js";

const film = document.querySelector(".film.big");
const { media, clip, category, start, end } = film.dataset;
const about = { media, clip_id: clip, category, start_sec: Number(start), end_sec: Number(end) };
const dead = () => (film.textContent = "This clip does not load. Load the page again.");
const loop = new Loop(about, film, { dead, loggedOut: () => location.reload() });
loop.play();

for (const button of document.querySelectorAll("[data-span]")) {
  button.addEventListener("click", () => {
    for (const other of document.querySelectorAll("[data-span]")) other.ariaPressed = String(other === button);
    const around = Number(button.dataset.span);
    const until = Math.min(loop.video.duration || Infinity, Number(end) + around);
    loop.clip = { ...about, start_sec: Math.max(0, Number(start) - around), end_sec: until };
    loop.rewind();
    loop.resume();
  });
}
