// Scorecards: switching them on and off; trying, saving and removing one. It holds no texts.
(() => {
  "use strict";

  const { refresh, say } = window.nightshift;

  async function ask(path, body) {
    const headers = { "X-Nightshift": "1", "Content-Type": "application/json" };
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) return told;
    throw Object.assign(new Error(told.error || answer.statusText), { faults: told.faults ?? [] });
  }

  document.addEventListener("change", async ({ target }) => {
    if (!target.dataset.switch) return;
    target.disabled = true;
    try {
      await ask(target.dataset.switch, { active: target.checked });
    } catch (error) {
      target.checked = !target.checked;
      say(error.message, true);
    }
    target.disabled = false;
    refresh();
  });

  const form = document.getElementById("editor");
  if (!form) return;
  const text = document.getElementById("text");
  const gutter = form.querySelector(".gutter");
  const faults = document.getElementById("faults");
  const tried = document.getElementById("tried");
  const lines = () => text.value.split("\n");
  let wrong = new Set([...faults.querySelectorAll("[data-line]")].map((one) => Number(one.dataset.line)));

  // ── the numbers beside the text ──
  function number() {
    gutter.replaceChildren(
      ...lines().map((_, at) => {
        const one = document.createElement(wrong.has(at + 1) ? "mark" : "span");
        one.textContent = `${at + 1}\n`;
        return one;
      }),
    );
    gutter.scrollTop = text.scrollTop;
  }

  function go(line) {
    const start = lines().slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    text.focus();
    text.setSelectionRange(start, start + (lines()[line - 1]?.length ?? 0));
    text.scrollTop = Math.max(0, (line - 4) * (text.scrollHeight / lines().length));
    text.scrollLeft = 0;
  }

  function showFaults(found, message = "") {
    wrong = new Set(found.map((one) => one.line));
    text.setAttribute("aria-invalid", String(Boolean(found.length || message)));
    faults.replaceChildren(
      ...found.map(({ line, where, said }) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        const words = document.createElement("bdi");
        button.type = "button";
        button.className = "plain-link";
        button.dataset.line = line;
        button.textContent = faults.dataset.line.replace("{line}", line);
        words.textContent = where ? `${where}: ${said}` : said;
        item.append(button, " ", words);
        return item;
      }),
    );
    if (!found.length && message) {
      const item = document.createElement("li");
      item.textContent = message;
      faults.append(item);
    }
    number();
  }

  // ── what it would score ──
  function cell(kind, ...inside) {
    const one = document.createElement(kind);
    one.append(...inside);
    return one;
  }

  const share = (part) => String(Number((part * 100).toPrecision(3)));

  function row(metric, rows) {
    const line = document.createElement("tr");
    const title = cell("th", cell("bdi", metric.title));
    title.scope = "row";
    line.append(title);
    if (metric.value === null) {
      const why = cell("td", cell("strong", rows.dataset.missing), " ", cell("bdi", `${metric.missing} ${metric.to_do}`.trim()));
      why.colSpan = 2;
      why.className = "why-missing";
      line.append(why);
      return line;
    }
    const value = cell("td", cell("bdi", `${Number(metric.value.toPrecision(6))} ${metric.unit}`.trim()));
    if (metric.band) value.append(cell("small", cell("bdi", metric.band)));
    line.append(value, cell("td", metric.score === null ? rows.dataset.unscored : String(metric.score)));
    return line;
  }

  function showTried(insight) {
    tried.hidden = false;
    const title = tried.querySelector("[data-enough]");
    title.textContent = (insight.sufficient ? title.dataset.enough : title.dataset.few).replace("{score}", insight.health_score);
    const read = tried.querySelector("[data-confidence]");
    read.textContent = read.dataset.of.replace("{share}", share(insight.confidence));
    if (!insight.sufficient) read.textContent += ` ${read.dataset.least}`;
    const rows = tried.querySelector("[data-rows]");
    rows.replaceChildren();
    for (const part of insight.health_breakdown) {
      const head = cell("tr");
      const title = cell("th", cell("bdi", part.title), cell("small", rows.dataset.share.replace("{share}", share(part.weight))));
      title.scope = "rowgroup";
      title.colSpan = 2;
      head.className = "group";
      head.append(title, cell("td", part.score === null ? "—" : String(part.score)));
      rows.append(head, ...part.metrics.map((metric) => row(metric, rows)));
    }
  }

  // ── trying and saving ──
  let saved = text.value;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const saving = event.submitter?.value !== "check";
    const buttons = [...form.querySelectorAll("button")];
    for (const button of buttons) button.disabled = true;
    try {
      const told = await ask(saving ? form.dataset.save : form.dataset.check, { text: text.value });
      showFaults([]);
      say(saving ? form.dataset.done : form.dataset.right);
      if (saving) {
        saved = text.value;
        location.assign(`${document.body.dataset.root}scorecards/${encodeURIComponent(told.name)}`);
      } else {
        showTried(told);
        tried.scrollIntoView({ block: "nearest" });
      }
    } catch (error) {
      tried.hidden = true;
      showFaults(error.faults ?? [], error.message);
      if (error.faults?.length) go(error.faults[0].line);
    }
    for (const button of buttons) button.disabled = false;
  });

  // ── removing ──
  const certain = document.getElementById("certain");
  certain.addEventListener("click", ({ target }) => target.closest("button") && certain.close(target.closest("button").value));
  document.getElementById("remove")?.addEventListener("click", ({ target }) => {
    certain.returnValue = "";
    certain.addEventListener(
      "close",
      async () => {
        if (certain.returnValue !== "go") return;
        try {
          await ask(target.dataset.remove, {});
          saved = text.value;
          location.assign(target.dataset.then);
        } catch (error) {
          say(error.message, true);
        }
      },
      { once: true },
    );
    certain.showModal();
  });

  faults.addEventListener("click", ({ target }) => target.dataset.line && go(Number(target.dataset.line)));
  text.addEventListener("scroll", () => (gutter.scrollTop = text.scrollTop));
  text.addEventListener("input", () => {
    wrong = new Set();
    tried.hidden = true;
    number();
  });
  addEventListener("beforeunload", (event) => text.value !== saved && event.preventDefault());
  number();
})();
