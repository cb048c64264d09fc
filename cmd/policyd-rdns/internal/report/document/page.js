"use strict";
// Tables that sort by their columns: a header is a button, a second press turns
// the order round. Without this script they are as they are.
for (const table of document.querySelectorAll("table.sorts")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, i) => row.cells[i].dataset.sort ?? row.cells[i].textContent.trim();
  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const was = head.getAttribute("aria-sort");
      const down = was ? was === "ascending" : head.classList.contains("n");
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => {
        const x = key(a, i), y = key(b, i);
        const n = Number(x) - Number(y);
        const order = Number.isNaN(n) ? x.localeCompare(y, "en", { numeric: true }) : n;
        return down ? -order : order;
      });
      body.append(...rows);
    });
  });
}
// What is to be pasted can be copied at a press.
for (const rule of document.querySelectorAll(".paste")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  const text = rule.querySelector("pre").textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(rule.querySelector("pre"));
      button.textContent = "Selected";
    }
  });
  rule.prepend(button);
}
