// Runs before the first paint: a stored choice wins over the system's.
(() => {
  "use strict";
  try {
    const chosen = localStorage.getItem("nightshift.theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // No storage here (a sandboxed frame): the system's choice holds.
  }
})();
