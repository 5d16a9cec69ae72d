// The two videos of a pair play while they are in sight. Whoever wants less motion starts them by hand.
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    for (const video of target.querySelectorAll("video")) {
      if (!isIntersecting) video.pause();
      else if (!still) video.play().catch(() => {});
    }
  }
}, { threshold: 0.5 });

for (const videos of document.querySelectorAll(".pair .both")) {
  sight.observe(videos);
  for (const video of videos.querySelectorAll("video")) {
    video.addEventListener("error", () => {
      video.parentElement.querySelector(".ended").hidden = false;
    });
  }
}
