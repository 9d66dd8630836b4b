// Printing is the browser's: without this script there is no button, and its own menu does the same.
(() => {
  "use strict";

  const button = document.getElementById("print");
  button.hidden = false;
  document.addEventListener("click", (event) => event.target.id === "print" && print());
  // A part that was drawn anew has its button hidden, as the server wrote it.
  new MutationObserver(() => (document.getElementById("print").hidden = false)).observe(
    document.getElementById("main"),
    { childList: true },
  );
})();
