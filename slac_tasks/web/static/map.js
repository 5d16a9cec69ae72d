// The map of a category: what is drawn around, pressed on, or framed with keys is the address of a selection.

const SIDE = 1000; // as the drawing has it
const CORNERS_MOST = 36; // of an outline; the server takes 40
const APART = 12; // corners nearer to each other than this are one
const NEAR = 25; // half the square that a press selects

const map = document.querySelector("#map");

function listen(map) {
  const drawing = map.querySelector("svg");
  const outline = drawing.querySelector(".outline");
  const said = document.querySelector("#frame");
  const selected = outline.getAttribute("points");
  const places = [...drawing.querySelectorAll(".clips")].flatMap((path) =>
    [...path.getAttribute("d").matchAll(/M(\d+) (\d+)/g)].map(([, x, y]) => [Number(x), Number(y)]),
  );
  const frame = { x: SIDE / 2, y: SIDE / 2, half: SIDE / 8 };
  let drawn = null; // places under the pointer since it was pressed

  const bounded = (value) => Math.round(Math.min(Math.max(value, 0), SIDE));
  const show = (corners) => outline.setAttribute("points", corners.map((corner) => corner.join(",")).join(" "));
  const select = (corners) => {
    show(corners);
    location.assign(`${map.dataset.at}&within=${corners.map((corner) => corner.join(".")).join("-")}#selected`);
  };

  function placeOf({ clientX, clientY }) {
    const box = drawing.getBoundingClientRect();
    return [bounded(((clientX - box.left) / box.width) * SIDE), bounded(((clientY - box.top) / box.height) * SIDE)];
  }

  function square({ x, y, half }) {
    const [left, top, right, bottom] = [x - half, y - half, x + half, y + half].map(bounded);
    return [[left, top], [right, top], [right, bottom], [left, bottom]];
  }

  function thinned(corners) {
    const kept = [corners[0]];
    for (const [x, y] of corners) {
      const [lastX, lastY] = kept.at(-1);
      if (Math.hypot(x - lastX, y - lastY) >= APART) kept.push([x, y]);
    }
    const step = Math.ceil(kept.length / CORNERS_MOST);
    return kept.filter((_, place) => place % step === 0);
  }

  map.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    map.setPointerCapture(event.pointerId);
    drawn = [placeOf(event)];
  });
  map.addEventListener("pointermove", (event) => {
    if (!drawn) return;
    drawn.push(placeOf(event));
    show(drawn);
  });
  map.addEventListener("pointerup", () => {
    if (!drawn) return;
    const corners = thinned(drawn);
    const [x, y] = drawn[0];
    drawn = null;
    select(corners.length < 3 ? square({ x, y, half: NEAR }) : corners);
  });
  map.addEventListener("pointercancel", () => {
    drawn = null;
    outline.setAttribute("points", selected);
  });

  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const sizes = { "+": 1.25, "=": 1.25, "-": 0.8 };
  map.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") return select(square(frame));
    if (event.key in moves) {
      const [x, y] = moves[event.key];
      frame.x = bounded(frame.x + (x * frame.half) / 2);
      frame.y = bounded(frame.y + (y * frame.half) / 2);
    } else if (event.key in sizes) {
      frame.half = Math.min(Math.max(frame.half * sizes[event.key], NEAR), SIDE / 2);
    } else {
      return;
    }
    event.preventDefault();
    const corners = square(frame);
    const [[left, top], , [right, bottom]] = corners;
    const inside = places.filter(([x, y]) => x >= left && x < right && y >= top && y < bottom).length;
    show(corners);
    said.value = `${inside} ${inside === 1 ? "clip" : "clips"} in the frame.`;
  });
}

if (map) listen(map);
