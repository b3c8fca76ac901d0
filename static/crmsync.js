// Everything works without this file; it only saves steps.
"use strict";

// One box ticks all boxes of its table.
document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-ticks-all]");
  if (!all) return;
  for (const box of all.closest("table").querySelectorAll("tbody input[type=checkbox]")) box.checked = all.checked;
});

// That box shows itself, also in a fragment that came later.
function reveal(part) {
  for (const all of part.querySelectorAll("[data-ticks-all]")) all.hidden = false;
}
reveal(document);
document.addEventListener("htmx:afterSettle", () => reveal(document));

// A text to copy is copied by its button, which shows itself only where that works.
for (const button of navigator.clipboard ? document.querySelectorAll("[data-copies]") : []) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).value);
    button.querySelector("span").textContent = button.dataset.copied;
  });
}

// Coming back from another site, the page sends by itself what its button would send.
document.querySelector("form[data-submits-itself]")?.requestSubmit();
