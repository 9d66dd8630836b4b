// The page of one suggestion: its forms, and trying a changed automation on the past. It holds no texts.
(() => {
  "use strict";

  const { send, say, post } = window.nightshift;
  const byId = (id) => document.getElementById(id);
  let form = null; // the fields, as they are drawn now: another decision draws others
  let original = {}; // what they said when they were drawn
  let changed = null; // the automation as the person changed it, as the server wrote it
  let sending = false; // it is on its way to the server
  let typing;
  let going = false;
  let again = false;

  // ── forms that decide ──
  document.addEventListener("submit", async (event) => {
    const sent = event.target;
    if (sent !== form && !sent.dataset.send) return;
    event.preventDefault();
    const button = event.submitter;
    if (sent === form || !button || button.disabled) return;
    const body = JSON.parse(button.dataset.body || "{}");
    for (const input of sent.elements) {
      if (input.name && input.type === "checkbox") body[input.name] = input.checked;
      else if (input.name && input.type === "text") body[input.name] = input.value;
    }
    if (sent.dataset.edited === undefined) return send(button, sent.dataset.send, JSON.stringify(body));
    const why = held();
    if (why) return say(why, true);
    if (changed) body.automation = changed;
    sending = true;
    const told = await send(button, sent.dataset.send, JSON.stringify(body));
    sending = false;
    if (told?.decision_id) settled(sent.id === "saving");
    note();
  });

  // ── changing it ──
  const field = (name) => form.elements.namedItem(name);
  const ticked = (name, on = true) =>
    [...form.querySelectorAll(`[name="${name}"]`)].filter((one) => one.checked === on).map((one) => one.value);

  function fields() {
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

  // Only what is otherwise now: what a field cannot show exactly (half a minute) stays as it is.
  function wanted() {
    if (!form) return {};
    const kept = ([name, value]) => JSON.stringify(value) === JSON.stringify(original[name]);
    return Object.fromEntries(Object.entries(fields()).filter((one) => !kept(one)));
  }

  const asked = () => JSON.stringify(wanted());

  // Returns what is wrong with the fields, in the page's own words.
  function wrong() {
    const bad = [...form.elements].filter((one) => one.willValidate && !one.validity.valid);
    for (const one of form.elements) one.toggleAttribute("aria-invalid", false);
    for (const one of bad) one.setAttribute("aria-invalid", "true");
    if (bad.length) return bad[0].dataset.takes;
    const { days, hours } = fields();
    if (!days.length) return field("day")[0].closest("fieldset").dataset.takes;
    if (hours && hours.after === hours.before) return field("after").closest("fieldset").dataset.takes;
    return "";
  }

  // Returns why it cannot be sent just now: a change that was not tried yet, or makes no sense.
  function held() {
    if (changed || asked() === "{}") return "";
    return wrong() || byId("adjust-problem").textContent || byId("trying").textContent.trim();
  }

  function note() {
    const edited = byId("as-edited");
    if (edited) edited.hidden = !changed;
    const save = byId("save");
    if (save) save.disabled = sending || !changed;
  }

  function showFields() {
    for (const name of ["after", "before"]) if (field(name)) field(name).disabled = field("any").checked;
  }

  function show(told) {
    const box = byId("compared");
    const table = box.querySelector("table");
    const verdict = box.querySelector("[data-verdict]");
    const { after, before } = told;
    box.hidden = false;
    table.hidden = !after;
    byId("adjust-problem").textContent = told.error || "";
    if (after) {
      for (const side of ["before", "after"]) {
        for (const cell of table.querySelectorAll(`[data-${side}]`)) cell.textContent = told[side][cell.dataset[side]];
      }
      table.querySelector("[data-figure]").textContent = told.days;
    }
    const figures = { untried: told.untried, right: after?.wanted, of: after?.fires, was: before?.wanted, wasof: before?.fires };
    const text = told.untried ? verdict.dataset.untried : after?.fires ? verdict.dataset.right : after ? verdict.dataset.none : "";
    verdict.textContent = text.replace(/\{(\w+)\}/g, (_, name) => figures[name]);
  }

  async function replay() {
    typing = undefined;
    if (going) {
      again = true;
      return;
    }
    const [mine, now] = [form, asked()];
    changed = null;
    note();
    const bad = wrong();
    if (bad) return show({ error: bad });
    if (now === "{}") {
      byId("compared").hidden = true;
      return;
    }
    going = true;
    byId("compared").hidden = byId("trying").hidden = false;
    byId("adjust-problem").textContent = "";
    let told;
    try {
      told = await post(mine.dataset.replay, now);
    } catch (error) {
      told = { error: error.message };
    }
    going = false;
    if (form === mine) {
      byId("trying").hidden = true;
      if (now === asked()) {
        changed = told.automation ?? null;
        show(told);
      }
      note();
    }
    if (form && (again || form !== mine || now !== asked())) {
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

  document.addEventListener("input", (event) => form && event.target.form === form && later());
  document.addEventListener("reset", (event) => event.target === form && setTimeout(later));

  // What was sent is no longer a change. A form that was saved is put away: the decision tells the rest.
  function settled(away) {
    changed = null;
    clearTimeout(typing);
    if (form) original = fields();
    if (byId("compared")) byId("compared").hidden = true;
    if (!away) return;
    byId("edit-open")?.removeAttribute("open");
    const decided = byId("decide");
    decided.tabIndex = -1;
    decided.focus({ preventScroll: true });
    decided.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest("#change")) return;
    byId("edit-open").open = true;
    byId("editing").scrollIntoView({ block: "start" });
    byId("edit-open").querySelector("summary").focus({ preventScroll: true });
  });

  // Takes the form as it is drawn now. A part that was drawn anew does not know what was changed.
  function adopt() {
    const drawn = byId("adjust");
    if (drawn !== form) {
      const lost = form?.dataset.anew && drawn?.dataset.anew && !sending && asked() !== "{}";
      if (lost) say(drawn.dataset.anew, true);
      form = drawn;
      changed = null;
      clearTimeout(typing);
      if (form) {
        showFields();
        original = fields();
      }
    }
    note();
  }

  adopt();
  new MutationObserver(adopt).observe(document.querySelector(".sides"), { childList: true });
})();
