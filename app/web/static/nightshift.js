// The page is drawn by the server. This script presses its buttons, listens to its live events, and then
// takes the parts that changed from a fresh copy of the page. It holds no texts: those are in the page.
(() => {
  "use strict";

  const root = document.documentElement;
  const base = document.body.dataset.root;
  const said = document.getElementById("said");
  const version = document.body.dataset.version;
  // What makes a page look again; progress and log lines are shown as they come.
  const CHANGES = [
    "run_started", "run_ended", "run_skipped", "job", "job_failing", "job_recovered", "subject_given_up",
    "neighbour", "suggestions", "suggestion_decided", "automation_verdict", "alert", "insight", "report", "refresh",
  ];

  // ── theme: the system's, or a stored choice; choosing what the system has anyway forgets the choice ──
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);

  function showTheme() {
    const button = document.getElementById("theme");
    if (!button) return;
    button.setAttribute("aria-label", isDark() ? button.dataset.toLight : button.dataset.toDark);
    button.title = button.getAttribute("aria-label");
  }

  function switchTheme() {
    const wanted = isDark() ? "light" : "dark";
    const system = systemDark.matches ? "dark" : "light";
    try {
      if (wanted === system) localStorage.removeItem("nightshift.theme");
      else localStorage.setItem("nightshift.theme", wanted);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    if (wanted === system) delete root.dataset.theme;
    else root.dataset.theme = wanted;
    showTheme();
  }

  // ── saying things ──
  let silence;
  function say(text, isError = false) {
    said.textContent = text;
    said.dataset.error = String(isError);
    clearTimeout(silence);
    if (text) silence = setTimeout(() => say(""), isError ? 12000 : 4000);
  }

  // ── the parts that change ──
  let refreshing = false;
  let again = false;
  // What a run said while a fresh copy was on its way: that copy may be older.
  let late = null;

  async function refresh() {
    if (refreshing) {
      again = true;
      return;
    }
    refreshing = true;
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.status === 401) return location.reload();
      const text = await answer.text();
      await released();
      if (answer.ok) take(new DOMParser().parseFromString(text, "text/html"));
    } catch {
      // The connection is gone; the event stream notices too and comes back by itself.
    } finally {
      refreshing = false;
      if (late) showProgress(late);
      late = null;
      if (again) {
        again = false;
        refresh();
      }
    }
  }

  // A button that is replaced between being pressed and let go would not be clicked.
  let down = false;
  addEventListener("pointerdown", () => (down = true), true);
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => (down = false), true);

  async function released() {
    // Let go outside the frame this page is in, it is never heard of.
    for (let waited = 0; down && waited < 2000; waited += 30) await new Promise((resolve) => setTimeout(resolve, 30));
  }

  // Where the focus is: the ids of what has it and of what that is in. A button that was pressed loses it while
  // it is dead, and may be gone afterwards.
  let pressed = [];
  function place() {
    const ids = [];
    for (let one = document.activeElement; one && one !== document.body; one = one.parentElement) {
      if (one.id) ids.push(one.id);
    }
    return ids;
  }

  function back(ids) {
    const first = document.getElementById(ids[0]);
    if (!ids.length || (first && (first === document.activeElement || first.disabled))) return;
    const one = first ?? ids.map((id) => document.getElementById(id)).find(Boolean);
    if (!one) return;
    if (one.tabIndex < 0) one.tabIndex = -1;
    one.focus({ preventScroll: one !== first });
  }

  // Who went elsewhere meanwhile is not fetched back.
  for (const name of ["focusin", "pointerdown"]) addEventListener(name, () => (pressed = []), true);

  // Parts in which somebody may be typing, as the server drew them: they are left until that is something else.
  const drawn = new WeakMap();
  for (const part of document.querySelectorAll("[data-typed]")) drawn.set(part, part.outerHTML);

  // What a person unfolded stays so, also when it is not there for a moment: while a change is on its way, say.
  const unfolded = new Set();

  function take(fresh) {
    const focused = place().length ? place() : pressed;
    for (const part of document.querySelectorAll("[data-live]")) {
      const newer = fresh.getElementById(part.id);
      if (!newer || drawn.get(part) === newer.outerHTML) continue;
      if (drawn.has(part)) drawn.set(newer, newer.outerHTML);
      for (const details of part.querySelectorAll("details[id]")) {
        if (details.open) unfolded.add(details.id);
        else unfolded.delete(details.id);
      }
      for (const details of newer.querySelectorAll("details[id]")) {
        if (unfolded.has(details.id)) details.setAttribute("open", "");
      }
      if (newer.outerHTML !== part.outerHTML) part.replaceWith(document.adoptNode(newer));
    }
    back(focused);
    tick();
  }

  // ── buttons ──
  async function post(path, body) {
    const headers = { "X-Nightshift": "1" };
    if (body) headers["Content-Type"] = "application/json";
    const answer = await fetch(path, { method: "POST", headers, body });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok && answer.status !== 409) throw new Error(told.error || answer.statusText);
    return told;
  }

  // Asks before what a person changed in Home Assistant is lost; without the question, nothing is.
  function sure() {
    const dialog = document.getElementById("sure");
    if (!dialog) return Promise.resolve(false);
    return new Promise((resolve) => {
      dialog.returnValue = "";
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "go"), { once: true });
      dialog.showModal();
    });
  }

  async function send(control, path, body) {
    pressed = document.activeElement === control ? place() : [];
    control.disabled = true;
    let told;
    try {
      told = await post(path, body);
      if (told.edited && !(await sure())) told = { ...told, edited: false };
      else if (told.edited) told = await post(path, JSON.stringify({ ...JSON.parse(body || "{}"), force: true }));
      if (control.dataset.follow && told.run_id) return location.assign(control.dataset.follow + told.run_id);
      say(told.error || told.trouble || control.dataset.done || "");
    } catch (error) {
      say(error.message, true);
    }
    control.disabled = false;
    await refresh();
    return told;
  }

  const press = (control, path) => send(control, path, control.dataset.body);

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      // Plain http has no clipboard of that kind: select and copy, the old way.
      const range = document.createRange();
      range.selectNodeContents(source);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      if (!document.execCommand("copy")) return say(button.dataset.failed, true);
      selection.removeAllRanges();
    }
    say(button.dataset.done);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.id === "theme") switchTheme();
    else if (button.closest("#sure")) document.getElementById("sure").close(button.value);
    else if (button.dataset.post) press(button, button.dataset.post);
    else if (button.dataset.copy) copy(button);
  });

  document.addEventListener("change", (event) => {
    const input = event.target;
    if (input.dataset.on) press(input, input.checked ? input.dataset.on : input.dataset.off);
  });

  // ── countdowns ──
  function tick() {
    for (const wait of document.querySelectorAll("[data-until]")) {
      const minutes = Math.max(0, Math.floor((Date.parse(wait.dataset.until) - Date.now()) / 60000));
      const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
      wait.textContent = days ? `${days} d ${hours} h` : hours ? `${hours} h ${rest} min` : `${rest} min`;
    }
  }

  // ── live ──
  function showProgress(progress) {
    const { run_id: run, step, done, total } = progress;
    if (refreshing) late = progress;
    const box = document.querySelector(`[data-run="${CSS.escape(run)}"]`);
    if (!box) {
      // A page about something else is not drawn anew a few times a second.
      const { watch, watchRun } = document.getElementById("main").dataset;
      if (watch === "*" || watch === progress.job || watchRun === run) refresh();
      return;
    }
    const bar = box.querySelector("progress");
    if (total > 0) {
      bar.max = total;
      bar.value = done;
    } else {
      bar.removeAttribute("value");
    }
    box.querySelector("[data-step]").textContent = step;
    const count = box.querySelector("[data-count]");
    const said = { done: done.toLocaleString("en"), total: total.toLocaleString("en") };
    count.textContent = total > 1 ? count.dataset.of.replace(/\{(\w+)\}/g, (_, name) => said[name]) : "";
  }

  function listen() {
    const events = new EventSource(`${base}api/events`);
    const lost = document.getElementById("lost");
    let met = false;
    events.addEventListener("hello", (event) => {
      lost.hidden = true;
      if (JSON.parse(event.data).version !== version) return location.reload();
      if (met) refresh();
      met = true;
    });
    for (const name of ["hello", "run_logged", "refresh", "alert", "coach_alert"]) {
      events.addEventListener(name, (event) => {
        document.dispatchEvent(new CustomEvent(`nightshift:${name}`, { detail: JSON.parse(event.data) }));
      });
    }
    events.addEventListener("progress", (event) => showProgress(JSON.parse(event.data)));
    for (const name of CHANGES) events.addEventListener(name, refresh);
    // Figures change all the time: only a page that shows them is drawn anew.
    events.addEventListener("statistics", () => document.getElementById("main").dataset.feeds && refresh());
    events.addEventListener("error", () => {
      lost.hidden = false;
      // A refused stream (503, 401) is not tried again by the browser.
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, 10000);
    });
    addEventListener("pagehide", () => events.close(), { once: true });
  }

  // ── the frame we are in: Home Assistant's panel for apps tells whoever asks what follows our own path in its
  // address, so that a link (a notification's) can lead to one suggestion, to the alerts or to the home ──
  function follow(event) {
    const { type, route } = event.data ?? {};
    if (event.source !== parent || event.origin !== location.origin || type !== "home-assistant/properties") return;
    const { prefix, path } = route ?? {};
    if (!/^\/app\/[\w-]+$/.test(prefix) || !/^\/(suggestions\/[\w%.~-]+|alerts|home)$/.test(path)) return;
    // Its address becomes ours alone again: else every page of ours would lead there from now on.
    parent.postMessage({ type: "home-assistant/navigate", path: prefix, options: { replace: true } }, location.origin);
    location.assign(base + path.slice(1));
  }

  if (parent !== window) {
    addEventListener("message", follow);
    parent.postMessage({ type: "home-assistant/subscribe-properties" }, location.origin);
  }

  // What a page's own script needs of this one.
  window.nightshift = { post, send, refresh, say };

  showTheme();
  systemDark.addEventListener("change", showTheme);
  tick();
  setInterval(tick, 15000);
  if (said) listen();
})();
