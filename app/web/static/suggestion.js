// The page of one suggestion: its forms, and trying a changed automation on the past. It holds no texts.
(() => {
  "use strict";

  const { send, say, post } = window.nightshift;
  let changed = null; // the automation as the person changed it, as the server wrote it
  let held = () => ""; // why it cannot be accepted just now: a change that was not tried yet, or cannot be

  // ── forms that decide ──
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.send) return;
    event.preventDefault();
    const button = event.submitter;
    if (!button || button.disabled) return;
    const body = JSON.parse(button.dataset.body || "{}");
    for (const input of form.elements) {
      if (input.name && input.type === "checkbox") body[input.name] = input.checked;
      else if (input.name && input.type === "text") body[input.name] = input.value;
    }
    if (form.id === "accepting") {
      const why = held();
      if (why) return say(why, true);
      if (changed) body.automation = changed;
    }
    send(button, form.dataset.send, JSON.stringify(body));
  });

  // ── changing it first ──
  const form = document.getElementById("adjust");
  if (!form) return;
  const box = document.getElementById("compared");
  const table = box.querySelector("table");
  const trying = document.getElementById("trying");
  const problem = document.getElementById("adjust-problem");
  const verdict = box.querySelector("[data-verdict]");
  const field = (name) => form.elements.namedItem(name);
  const ticked = (name, on = true) =>
    [...form.querySelectorAll(`[name="${name}"]`)].filter((one) => one.checked === on).map((one) => one.value);

  function wanted() {
    const said = { alias: field("alias").value, days: ticked("day") };
    if (field("at")) said.at = field("at").value;
    if (field("offset")) said.offset_minutes = Number(field("offset").value) * Number(field("side").value);
    if (field("delay")) said.delay_minutes = Number(field("delay").value);
    for (const input of form.querySelectorAll('[name="limit"]')) {
      const number = input.id.slice("limit-".length);
      if (!number) said.limit = input.valueAsNumber;
      else (said.limits ||= []).push({ condition: Number(number), limit: input.valueAsNumber });
    }
    if (field("any")?.checked) said.any_hour = true;
    else if (field("any")) said.hours = { after: field("after").value, before: field("before").value };
    if (field("keep")) said.drop = ticked("keep", false).map(Number);
    return said;
  }

  function showFields() {
    for (const name of ["after", "before"]) if (field(name)) field(name).disabled = field("any").checked;
  }

  showFields();
  const original = JSON.stringify(wanted());
  let typing;
  let going = false;
  let again = false;
  held = () => {
    if (changed || JSON.stringify(wanted()) === original) return "";
    if (!form.checkValidity()) form.reportValidity();
    return problem.textContent || trying.textContent.trim();
  };

  function note() {
    const edited = document.getElementById("as-edited");
    if (edited) edited.hidden = !changed;
  }

  function show(told) {
    table.hidden = !told.after;
    problem.textContent = told.error || "";
    verdict.textContent = "";
    if (!told.after) return;
    for (const side of ["before", "after"]) {
      for (const cell of table.querySelectorAll(`[data-${side}]`)) cell.textContent = told[side][cell.dataset[side]];
    }
    table.querySelector("[data-figure]").textContent = told.days;
    const figures = { right: told.after.wanted, of: told.after.fires, was: told.before.wanted, wasof: told.before.fires };
    const text = told.after.fires ? verdict.dataset.right : verdict.dataset.none;
    verdict.textContent = text.replace(/\{(\w+)\}/g, (_, name) => figures[name]);
  }

  async function replay() {
    typing = undefined;
    if (going) {
      again = true;
      return;
    }
    const asked = JSON.stringify(wanted());
    changed = null;
    note();
    if (asked === original) {
      box.hidden = true;
      return;
    }
    if (!form.checkValidity()) return show({});
    going = true;
    box.hidden = trying.hidden = false;
    try {
      const told = await post(form.dataset.replay, asked);
      if (asked === JSON.stringify(wanted())) {
        changed = told.automation ?? null;
        show(told);
      }
    } catch (error) {
      show({ error: error.message });
    }
    going = false;
    trying.hidden = true;
    note();
    if (again || asked !== JSON.stringify(wanted())) {
      again = false;
      replay();
    }
  }

  function later() {
    showFields();
    changed = null;
    note();
    clearTimeout(typing);
    typing = setTimeout(replay, 500);
  }

  form.addEventListener("input", later);
  form.addEventListener("reset", () => setTimeout(later));
  form.addEventListener("submit", (event) => event.preventDefault());
  // A part that was drawn anew does not know what was changed.
  new MutationObserver(note).observe(document.querySelector(".sides"), { childList: true });
})();
