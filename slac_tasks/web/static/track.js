// The line of time under a segment: its two ends as handles, by pointer and by keys, and where the video is now.

const PAD_SEC = 2; // shown beside the segment, at least; of a long one a half of its length

const clock = (seconds) => {
  const rest = (seconds % 60).toFixed(2).padStart(5, "0");
  return `${Math.floor(seconds / 60)}:${rest}`;
};

export class Track {
  // box: the element; events: select(end), move(end, seconds), drop(end), nudge(end, frames)
  constructor(box, { select, move, drop }) {
    this.box = box;
    this.events = { select, move, drop };
    this.handles = [...box.querySelectorAll("[role=slider]")];
    this.view = [0, 1];
    this.handles.forEach((handle, end) => {
      handle.addEventListener("pointerdown", (event) => this.grab(event, end));
      handle.addEventListener("focus", () => this.segment && this.segment.selected !== end && !this.isDragged && select(end));
    });
  }

  // Show another segment.
  ask(segment) {
    this.segment = segment;
    this.fit();
    this.draw();
  }

  // Choose what is shown, so that there is room beside both ends.
  fit() {
    const { ends, clip } = this.segment;
    const pad = Math.max(PAD_SEC, (ends[1] - ends[0]) / 2);
    const from = Math.min(ends[0], clip.start_sec) - pad;
    const to = Math.max(ends[1], clip.end_sec) + pad;
    this.view = [Math.max(0, from), Math.min(clip.duration_sec, to)];
  }

  share(seconds) {
    return Math.min(1, Math.max(0, (seconds - this.view[0]) / (this.view[1] - this.view[0])));
  }

  grab(event, end) {
    if (!this.segment || event.button > 0) return;
    event.preventDefault();
    const handle = this.handles[end];
    const { left, width } = this.box.getBoundingClientRect();
    this.isDragged = true;
    handle.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    const moved = ({ clientX }) => {
      const share = Math.min(1, Math.max(0, (clientX - left) / width));
      this.events.move(end, this.view[0] + share * (this.view[1] - this.view[0]));
    };
    const dropped = () => {
      handle.removeEventListener("pointermove", moved);
      this.isDragged = false;
      this.fit();
      this.events.drop(end);
    };
    handle.addEventListener("pointermove", moved);
    handle.addEventListener("lostpointercapture", dropped, { once: true });
    this.events.select(end);
  }

  draw() {
    if (!this.segment) return;
    const { ends, clip, selected } = this.segment;
    if (!this.isDragged && (ends[0] < this.view[0] || ends[1] > this.view[1])) this.fit();
    const [start, end] = ends.map((seconds) => this.share(seconds));
    this.place("span", start, end - start);
    this.place("proposed", this.share(clip.start_sec), this.share(clip.end_sec) - this.share(clip.start_sec));
    ["Start", "End"].forEach((name, index) => {
      const handle = this.handles[index];
      handle.parentElement.style.transform = `translateX(${100 * (index ? end : start)}%)`;
      handle.classList.toggle("selected", selected === index);
      handle.setAttribute("aria-valuemin", "0");
      handle.setAttribute("aria-valuemax", clip.duration_sec.toFixed(2));
      handle.setAttribute("aria-valuenow", ends[index].toFixed(2));
      handle.setAttribute("aria-valuetext", `${name} at ${ends[index].toFixed(2)} seconds`);
    });
    document.getElementById("from").textContent = clock(ends[0]);
    document.getElementById("long").textContent = `${(ends[1] - ends[0]).toFixed(2)} s`;
    document.getElementById("to").textContent = clock(ends[1]);
  }

  place(name, from, long) {
    this.box.querySelector(`.${name}`).style.transform = `translateX(${100 * from}%) scaleX(${long})`;
  }

  tick() {
    if (!this.segment) return;
    this.box.querySelector(".now").style.transform = `translateX(${100 * this.share(this.segment.video.currentTime)}%)`;
  }
}
