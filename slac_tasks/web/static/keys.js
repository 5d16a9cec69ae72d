// Which key does what. A person may change it; this browser remembers.

import { remember } from "./memory.js";

const NAMES = {
  yes: "Yes, or all yes", no: "No, or all no", unsure: "Unsure", broken: "Broken", undo: "Undo", slower: "Slower", context: "More context",
  flag: "Flag the clip", grid: "Sets, or one by one", flip: "Switch what is marked",
};
const USUAL = { yes: "y", no: "n", unsure: "u", broken: "b", undo: "z", slower: "s", context: "c", flag: "f", grid: "g", flip: "x" };
const IN_SETS = ["yes", "no", "grid", "flip"]; // where letters mark clips, too
const FIXED = [
  ["Space", "Pause, and go on"], ["?", "These keys"], ["Enter", "Send a set"], ["⌫", "Undo a set"], ["1 2 3 4 Q W E R A S D F", "Mark a clip of a set"],
  ["Shift and its key, held", "Look closer at a clip of a set"],
];
const TAKEN = ["1", "2", "3", "4", "q", "w", "e", "r", "a", "s", "d", "f"];

export class Keys {
  constructor(root, changed) {
    Object.assign(this, { root, changed, map: { ...USUAL } });
    try {
      const kept = JSON.parse(remember.get("keys.map") ?? "{}");
      for (const name of Object.keys(USUAL)) if (typeof kept[name] === "string" && kept[name].length === 1) this.map[name] = kept[name];
    } catch {}
    this.label();
  }

  // The action of a key: among those of single clips, or of sets.
  action(key, inSets) {
    return Object.keys(this.map).find((name) => this.map[name] === key && (inSets ? IN_SETS.includes(name) : name !== "flip")) ?? null;
  }

  // Why an action cannot have this key; empty where it can.
  refusal(name, key) {
    if (key.length !== 1 || key === " " || key === "?") return "Want a letter, a digit or a sign";
    const other = Object.keys(this.map).find((each) => each !== name && this.map[each] === key);
    if (other) return `${key.toUpperCase()} is taken: ${NAMES[other]}`;
    return IN_SETS.includes(name) && TAKEN.includes(key) ? `${key.toUpperCase()} marks a clip of a set` : "";
  }

  set(name, key) {
    this.map[name] = key;
    this.keep();
  }

  reset() {
    this.map = { ...USUAL };
    this.keep();
  }

  keep() {
    remember.set("keys.map", JSON.stringify(this.map));
    this.label();
    this.changed();
  }

  // Write the keys onto their buttons.
  label() {
    for (const button of this.root.querySelectorAll("[data-key]")) {
      const key = this.map[button.dataset.key];
      button.querySelector("kbd").textContent = key.toUpperCase();
      button.setAttribute("aria-keyshortcuts", key);
    }
  }

  // Fill the dialog with every key; those of `map` can be changed there.
  draw(dialog) {
    const body = dialog.querySelector("tbody");
    const problem = dialog.querySelector("[role=status]");
    problem.textContent = "";
    const row = (name, key, change) => {
      const line = body.insertRow();
      line.append(Object.assign(document.createElement("th"), { scope: "row", textContent: name }));
      line.insertCell().append(Object.assign(document.createElement("kbd"), { textContent: key }));
      line.insertCell().append(...(change ? [change] : []));
    };
    body.replaceChildren();
    for (const [name, text] of Object.entries(NAMES)) {
      const change = Object.assign(document.createElement("button"), { className: "plain", textContent: "Change", ariaLabel: `Change the key: ${text}` });
      change.addEventListener("click", () => {
        change.textContent = "Press a key";
        const hear = (event) => {
          event.preventDefault();
          event.stopPropagation();
          const key = event.key.toLowerCase();
          const refusal = event.key === "Escape" ? "" : this.refusal(name, key);
          if (!refusal && event.key !== "Escape") this.set(name, key);
          this.draw(dialog);
          problem.textContent = refusal;
          body.querySelector(`[aria-label="Change the key: ${text}"]`).focus();
        };
        change.addEventListener("keydown", hear, { once: true });
        change.addEventListener("blur", () => (change.textContent = "Change"));
      });
      row(text, this.map[name].toUpperCase(), change);
    }
    for (const [key, text] of FIXED) row(text, key, null);
  }
}
