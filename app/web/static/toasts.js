// News of alerts and urgent recommendations, wherever one is. The texts come from the server.
(() => {
  "use strict";

  const SECONDS = 15;
  const box = document.getElementById("toasts");
  const pattern = document.getElementById("toast");
  const base = document.body.dataset.root;
  const most = Number(box.dataset.most);

  function drop(toast) {
    const held = toast.contains(document.activeElement);
    toast.remove();
    // The focus would be lost with it.
    if (held) (box.querySelector("button") ?? document.getElementById("main")).focus();
  }

  // It goes by itself, but not from under somebody's pointer or focus.
  function later(toast) {
    setTimeout(() => {
      if (!toast.isConnected) return;
      if (toast.matches(":hover") || toast.contains(document.activeElement)) later(toast);
      else drop(toast);
    }, SECONDS * 1000);
  }

  function show({ key, level, label, title, text, path }) {
    if (!label) return;
    box.querySelector(`[data-key="${CSS.escape(key)}"]`)?.remove();
    const toast = pattern.content.cloneNode(true).firstElementChild;
    toast.dataset.key = key;
    toast.classList.add(level);
    toast.setAttribute("role", level === "critical" ? "alert" : "status");
    toast.querySelector(".label").textContent = label;
    toast.querySelector(".name bdi").textContent = title;
    toast.querySelector(".text bdi").textContent = text;
    toast.querySelector("a").href = base + path;
    toast.querySelector("button").addEventListener("click", () => drop(toast));
    toast.addEventListener("keydown", (event) => event.key === "Escape" && drop(toast));
    box.prepend(toast);
    // What is critical stays until somebody has seen it.
    if (level !== "critical") later(toast);
    const calm = [...box.children].filter((one) => !one.classList.contains("critical"));
    while (box.childElementCount > most && calm.length) calm.pop().remove();
    while (box.childElementCount > most) box.lastElementChild.remove();
  }

  document.addEventListener("nightshift:alert", ({ detail: { alert_id: id, open, ...said } }) => {
    const key = `alert-${id}`;
    if (open) show({ key, level: said.level, label: said.label, title: said.title, text: said.description, path: `alerts#${key}` });
    else box.querySelector(`[data-key="${CSS.escape(key)}"]`)?.remove();
  });
  document.addEventListener("nightshift:coach_alert", ({ detail }) => {
    const key = `advice-${detail.recommendation_id}`;
    show({ key, level: detail.priority, label: detail.label, title: detail.title, text: detail.message, path: `home#${key}` });
  });
})();
