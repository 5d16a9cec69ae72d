// Questions and texts above the page. While one is open the clip waits: its time is not the answer's.

export const isOpen = () => Boolean(document.querySelector("dialog[open]"));

// Open a dialog; resolves when it is closed, and says for how many milliseconds it was open.
export function open(dialog, closed = () => {}) {
  const since = performance.now();
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(closed(performance.now() - since)), { once: true });
  });
}

for (const dialog of document.querySelectorAll("dialog")) {
  const closing = dialog.querySelectorAll("[data-close]");
  // A click beside it closes what a button closes: the introduction is left by its own buttons.
  if (closing.length) dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  for (const button of closing) button.addEventListener("click", () => dialog.close());
}
