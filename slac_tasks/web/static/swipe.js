// A finger that moves over the clip answers it: to the right yes, to the left no.

const FAR = 72; // px

export function swipes(box, isOn, answer) {
  let from = null;
  const way = (event) => {
    const [x, y] = [event.clientX - from.x, event.clientY - from.y];
    return Math.abs(x) > FAR && Math.abs(x) > 2 * Math.abs(y) ? (x > 0 ? "yes" : "no") : null;
  };
  const end = () => {
    from = null;
    delete box.dataset.swipe;
  };
  box.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" && event.isPrimary && isOn()) from = { x: event.clientX, y: event.clientY };
  });
  box.addEventListener("pointermove", (event) => {
    if (!from || !event.isPrimary) return;
    const said = way(event);
    if (said) box.dataset.swipe = said;
    else delete box.dataset.swipe;
  });
  box.addEventListener("pointerup", (event) => {
    if (!from || !event.isPrimary) return;
    const said = way(event);
    end();
    if (said && isOn()) answer(said, event.timeStamp);
  });
  box.addEventListener("pointercancel", end);
}
