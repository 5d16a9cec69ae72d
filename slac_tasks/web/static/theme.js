// Follow Airflow's choice of light or dark when the pages are shown inside it (same origin), else the system's.
const theme = () => {
  try {
    const chosen = localStorage.getItem("theme");
    document.documentElement.dataset.theme = chosen === "light" || chosen === "dark" ? chosen : "system";
  } catch {
    document.documentElement.dataset.theme = "system";
  }
};
theme();
addEventListener("storage", (event) => event.key === "theme" && theme());
if (window.self !== window.top) document.documentElement.dataset.embedded = "";
