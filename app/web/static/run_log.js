// A run's log as it is written: new lines come over the live events, what was missed is asked for.
(() => {
  "use strict";

  const MOST_LINES = 500;
  const log = document.getElementById("log");
  const empty = document.getElementById("log-empty");
  const second = new Intl.DateTimeFormat("en-GB", { timeZone: log.dataset.zone, timeStyle: "medium" });
  const last = () => Number(log.lastElementChild?.dataset.number ?? -1);

  function drawn({ number, at, level, text }) {
    const line = document.createElement("li");
    const time = document.createElement("time");
    const said = document.createElement("bdi");
    line.className = number > last() + 1 && log.childElementCount ? `${level} gap` : level;
    line.dataset.number = number;
    time.dateTime = at;
    time.textContent = second.format(new Date(at));
    said.textContent = text;
    line.append(time, " ", said);
    return line;
  }

  function add(lines) {
    // Only who looks at the end is taken along.
    const follows = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    for (const line of lines) if (line.number > last()) log.append(drawn(line));
    while (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
    empty.hidden = log.childElementCount > 0;
    if (follows) log.scrollTop = log.scrollHeight;
  }

  let asking = false;
  async function ask() {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(`${log.dataset.more}?after=${last()}`, { cache: "no-store" });
      if (answer.ok) add(await answer.json());
    } catch {
      // The connection is gone; when it is back, what was missed is asked for.
    }
    asking = false;
  }

  document.addEventListener("nightshift:run_logged", ({ detail }) => {
    if (detail.run_id !== log.dataset.runLog) return;
    if (detail.lines.length && detail.lines[0].number <= last() + 1) add(detail.lines);
    else ask();
  });
  document.addEventListener("nightshift:hello", ask);
  document.addEventListener("nightshift:refresh", ask);

  empty.hidden = log.childElementCount > 0;
  log.scrollTop = log.scrollHeight;
})();
