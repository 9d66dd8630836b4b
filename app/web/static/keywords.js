// The list of words to look for: rows are added and removed here, and saved as a whole. It holds no texts.
(() => {
  "use strict";

  const form = document.getElementById("keywords");
  const { post, say } = window.nightshift;
  const list = form.querySelector("ul");
  const problem = form.querySelector(".problem");
  const add = document.getElementById("add-word");
  const most = Number(form.dataset.most);

  const rows = () => [...list.children];
  const words = () =>
    rows().map((row) => ({ word: row.querySelector("input").value.trim(), level: row.querySelector("select").value }));

  function changed() {
    problem.textContent = "";
    add.hidden = rows().length >= most;
  }

  async function save(keywords) {
    const buttons = [...form.querySelectorAll("button")];
    for (const button of buttons) button.disabled = true;
    try {
      await post(form.dataset.save, JSON.stringify({ keywords }));
      say(form.dataset.done);
      // Which buttons there are is the server's to say.
      if (keywords === null) return location.reload();
    } catch (error) {
      problem.textContent = error.message;
    }
    for (const button of buttons) button.disabled = false;
  }

  add.addEventListener("click", () => {
    list.append(document.getElementById("keyword").content.cloneNode(true));
    list.lastElementChild.querySelector("input").focus();
    changed();
  });

  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    const row = button.closest("li");
    const near = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (near?.querySelector("[data-remove]") ?? add).focus();
    changed();
  });

  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(words());
  });
  document.getElementById("restore-words")?.addEventListener("click", () => save(null));
  changed();
})();
