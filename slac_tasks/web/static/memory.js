// What a person chose, for the next visit. A browser that stores nothing forgets it.

export const remember = {
  get: (name) => {
    try {
      return localStorage.getItem(`slac.${name}`);
    } catch {
      return null;
    }
  },
  set: (name, value) => {
    try {
      localStorage.setItem(`slac.${name}`, value);
    } catch {}
  },
};
