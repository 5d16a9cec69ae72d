// Light or dark: what was chosen, here or in Airflow (same origin, same name), else what the system wants.
const dark = matchMedia("(prefers-color-scheme: dark)");
const kept = () => {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
};
const theme = () => {
  const chosen = kept();
  const root = document.documentElement;
  root.dataset.theme = chosen === "light" || chosen === "dark" ? chosen : "system";
  const isDark = root.dataset.theme === "system" ? dark.matches : chosen === "dark";
  for (const button of document.querySelectorAll("[data-do=theme]")) {
    button.textContent = isDark ? "Light" : "Dark";
    button.ariaLabel = isDark ? "Light colours" : "Dark colours";
  }
};
theme();
addEventListener("DOMContentLoaded", theme);
addEventListener("storage", (event) => event.key === "theme" && theme());
dark.addEventListener("change", theme);
addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-do=theme]");
  if (!button) return;
  try {
    localStorage.setItem("theme", button.textContent.toLowerCase());
  } catch {
    // A browser that stores nothing shows what the system wants.
  }
  theme();
});
if (window.self !== window.top) document.documentElement.dataset.embedded = "";
