"use strict";
// Reading needs none of this: it lets a cell of a grid tell of its cases, and copies commands.
for (const matrix of document.querySelectorAll(".matrix")) {
  const told = matrix.querySelector(".told");
  const rows = [...matrix.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("td")]);
  const cells = rows.flat().filter((cell) => "cell" in cell.dataset);
  if (!cells.length) continue;
  told.hidden = false;
  const tell = (cell) => { told.textContent = cell.title || cell.dataset.told; };
  const move = (cell, down, across) => {
    const row = rows.findIndex((each) => each.includes(cell));
    const column = rows[row].indexOf(cell);
    for (let step = 1; step < 200; step += 1) {
      const next = rows[row + down * step]?.[column + across * step];
      if (!next) return;
      if ("cell" in next.dataset) { next.focus(); return; }
    }
  };
  const steps = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
  for (const cell of cells) {
    cell.tabIndex = -1;
    cell.addEventListener("mouseenter", () => tell(cell));
    cell.addEventListener("focus", () => {
      cells.forEach((each) => { each.tabIndex = -1; });
      cell.tabIndex = 0;
      tell(cell);
    });
    cell.addEventListener("keydown", (event) => {
      if (!(event.key in steps)) return;
      event.preventDefault();
      move(cell, ...steps[event.key]);
    });
  }
  (cells.find((cell) => cell.classList.contains("refused")) ?? cells[0]).tabIndex = 0;
}
for (const button of document.querySelectorAll(".copy")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
    button.textContent = "copied";
  });
}
