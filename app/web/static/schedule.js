// The form for a job's schedule: puts its fields together, shows what they mean before they are saved.
// The server puts it into words; this script holds none.
(() => {
  "use strict";

  const form = document.getElementById("schedule");
  const { post, refresh, say } = window.nightshift;
  const field = (name) => form.elements.namedItem(name);
  const [words, next, problem] = ["words", "next", "problem"].map((name) => form.querySelector(`[data-${name}]`));

  // ── what the fields say ──
  function text() {
    const kind = field("kind").value;
    if (kind === "off") return "off";
    if (kind === "own") return field("rule").value.trim();
    if (kind === "every") return `every ${field("count").value} ${field("unit").value}`;
    const [hour, minute] = field("at").value.split(":").map(Number);
    const day = { day: "*", workdays: "MON-FRI", week: field("weekday").value }[kind];
    return `${minute} ${hour} * * ${day}`;
  }

  function showFields() {
    const kind = field("kind").value;
    for (const part of form.querySelectorAll("[data-for]")) {
      const wanted = part.dataset.for.split(" ").includes(kind);
      part.hidden = !wanted;
      // What is hidden must not hold up the form.
      for (const input of part.querySelectorAll("input, select")) input.disabled = !wanted;
    }
  }

  // ── what that means ──
  let asked = 0;
  async function preview() {
    const number = ++asked;
    const answer = await fetch(`${form.dataset.preview}?text=${encodeURIComponent(text())}`).catch(() => null);
    if (!answer || number !== asked) return;
    const told = await answer.json().catch(() => ({}));
    if (number !== asked) return;
    show(answer.ok ? told : { error: told.error || answer.statusText });
  }

  function show({ words: said = "", next: following = [], error = "" }) {
    words.textContent = said;
    problem.textContent = error;
    next.replaceChildren(
      ...following.map(({ at, text: when }) => {
        const item = document.createElement("li");
        const time = document.createElement("time");
        time.dateTime = at;
        time.textContent = when;
        item.append(time);
        return item;
      }),
    );
  }

  let typing;
  function changed() {
    showFields();
    clearTimeout(typing);
    if (form.checkValidity()) typing = setTimeout(preview, 200);
    else show({});
  }

  // ── saving ──
  async function save(schedule) {
    const buttons = form.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    try {
      await post(form.dataset.save, JSON.stringify({ schedule }));
      say(form.dataset.done);
      // Back to what it came with: the fields are the server's to say.
      if (schedule === null) return location.reload();
      await refresh();
    } catch (error) {
      say(error.message, true);
      show({ error: error.message });
    }
    for (const button of buttons) button.disabled = false;
  }

  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(text());
  });
  document.getElementById("reset").addEventListener("click", () => save(null));
  document.getElementById("edit").addEventListener("toggle", changed);
  showFields();
})();
