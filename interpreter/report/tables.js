// Tables: sorted by a column, searched, and saved as CSV; figures' numbers are saved, too.
const cells = (row) => [...row.cells].map((cell) => cell.dataset.value ?? cell.textContent.trim());
const quoted = (text) => (/[",\n]/.test(text) ? `"${String(text).replaceAll('"', '""')}"` : text);
const csv = (rows) => rows.map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
const button = (text, label, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
};
const save = (name, rows) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" }));
  link.download = `${name.replace(/[^\w.-]+/g, "_")}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
// What is no number comes last, in both directions.
const order = (a, b, down) => {
  const [x, y] = [a, b].map((text) => Number(text.replaceAll(",", "").replace(/^(-?)inf$/, "$1Infinity")));
  const [one, other] = [a === "" || Number.isNaN(x), b === "" || Number.isNaN(y)];
  if (one || other) return one && other ? (down ? -1 : 1) * a.localeCompare(b, undefined, { numeric: true }) : one ? 1 : -1;
  return down ? y - x : x - y;
};
for (const table of document.querySelectorAll("table.data")) {
  const name = table.dataset.name, heads = [...table.tHead.rows[0].cells], body = table.tBodies[0], rows = [...body.rows];
  const bar = document.createElement("div");
  bar.className = "bar";
  heads.forEach((head, column) => {
    const sort = button(head.textContent, `Sort by ${head.textContent}`, () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keys = new Map(rows.map((row) => [row, cells(row)[column]]));
      rows.sort((a, b) => order(keys.get(a), keys.get(b), down));
      body.append(...rows);
    });
    head.replaceChildren(sort);
  });
  if (rows.length > 8) {
    const field = document.createElement("input"), count = document.createElement("span");
    field.type = "search";
    field.placeholder = "Search";
    field.setAttribute("aria-label", `Search in ${name}`);
    count.className = "muted";
    count.setAttribute("role", "status");
    const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        row.hidden = !words.every((word) => texts.get(row).includes(word));
        if (!row.hidden) shown += 1;
      }
      count.textContent = words.length ? `${shown} of ${rows.length}` : "";
    });
    bar.append(field, count);
  }
  bar.append(button("CSV", `Save ${name} as CSV`, () => {
    save(name, [heads.map((head) => head.textContent), ...rows.filter((row) => !row.hidden).map(cells)]);
  }));
  table.closest(".scroll").before(bar);
}
for (const plot of document.querySelectorAll(".plot.numbers")) {
  const name = plot.dataset.name, bar = document.createElement("div");
  bar.className = "bar";
  bar.append(button("CSV", `Save the numbers of ${name} as CSV`, async () => {
    const { names, points } = JSON.parse(await unpacked(plot.querySelector("script.packed").textContent));
    const rows = rowsOf(points).filter((row) => row.y !== null).map(({ p, s, x, y, low, high, at }) =>
      [names[p][0], names[p][1][s], at || x, y, low ?? "", high ?? ""]);
    save(name, [["panel", "series", "x", "y", "low", "high"], ...rows]);
  }));
  if (plot.classList.contains("drawable")) {
    const told = document.createElement("span");
    told.className = "muted";
    told.textContent = matchMedia("(hover: none)").matches ? "A tap tells the numbers; on a name, it hides what has it."
      : "Numbers under the pointer. Ctrl and the wheel zoom, dragging moves, a double click goes back. A click on a name hides what has it.";
    bar.append(told);
  }
  plot.closest(".scroll").after(bar);
}
// A link to a row that lies in a fold opens the fold.
const unfold = () => {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = place?.closest("details");
  if (fold && !fold.open) {
    fold.open = true;
    place.scrollIntoView();
  }
};
window.addEventListener("hashchange", unfold);
unfold();
