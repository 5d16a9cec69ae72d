// Every table of a page that has a name: sorted by its heads, searched, filtered, cut short, and saved as a csv.
//
// A cell's value is its data-value, else its text; data-low and data-high are the ends of its interval.
// th[data-filter]: a menu of the values of the column. th[data-plain]: a drawing, which is neither sorted nor saved.
// table[data-most]: rows shown before somebody asks for all.

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const made = (tag, values = {}) => Object.assign(document.createElement(tag), values);
const valueOf = (cell) => (cell.dataset.value ?? cell.textContent).trim().replace(/\s+/g, " ");

function order(column, down) {
  const sign = down ? -1 : 1;
  return (one, other) => {
    const [a, b] = [valueOf(one.cells[column]), valueOf(other.cells[column])];
    // What is unknown stands last, whichever way.
    if (!a || !b) return !a - !b;
    const [x, y] = [Number(a), Number(b)];
    return sign * (Number.isNaN(x) || Number.isNaN(y) ? collator.compare(a, b) : x - y);
  };
}

// A spreadsheet runs a text that begins like a formula: such a text gets a quotation mark before it.
function quoted(text) {
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvOf(heads, rows) {
  const columns = heads.flatMap((head, place) => {
    if ("plain" in head.dataset) return [];
    const name = head.textContent.trim();
    const value = [name, (row) => valueOf(row.cells[place])];
    if (!rows.some((row) => "low" in row.cells[place].dataset)) return [value];
    const end = (which) => [`${name}, ${which}`, (row) => row.cells[place].dataset[which] ?? ""];
    return [value, end("low"), end("high")];
  });
  const lines = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, read]) => read(row)))];
  return lines.map((line) => line.map(quoted).join(",") + "\n").join("");
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  made("a", { href: address, download: `${name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function equip(table) {
  const name = table.dataset.table;
  const [body] = table.tBodies;
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  let most = Number(table.dataset.most ?? rows.length);
  let sorted = rows;

  const tools = made("div", { className: "tools-of-table" });
  const search = made("input", { type: "search", placeholder: "Search", ariaLabel: `Search ${name}` });
  const menus = heads.flatMap((head, column) => {
    if (!("filter" in head.dataset)) return [];
    const menu = made("select", { ariaLabel: `${head.textContent.trim()}: filter` });
    const found = [...new Set(rows.map((row) => valueOf(row.cells[column])).filter(Boolean))].sort(collator.compare);
    menu.append(new Option(`${head.textContent.trim()}: all`, ""), ...found.map((value) => new Option(value, value)));
    return [[menu, column]];
  });
  const shown = made("output");
  const csv = made("button", { type: "button", className: "plain", textContent: "CSV" });
  const all = made("button", { type: "button", className: "more" });

  function show() {
    const wanted = search.value.trim().toLowerCase();
    const fits = sorted.filter(
      (row) =>
        (!wanted || row.textContent.toLowerCase().includes(wanted)) &&
        menus.every(([menu, column]) => !menu.value || valueOf(row.cells[column]) === menu.value),
    );
    const seen = new Set(fits.slice(0, most));
    for (const row of rows) row.hidden = !seen.has(row);
    shown.value = fits.length === rows.length ? `${rows.length} ${rows.length === 1 ? "row" : "rows"}` : `${fits.length} of ${rows.length} rows`;
    all.hidden = seen.size === fits.length;
    all.textContent = `Show all ${fits.length}`;
    return fits;
  }

  heads.forEach((head, column) => {
    if ("plain" in head.dataset) return;
    const button = made("button", { type: "button", className: "sort" });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // Numbers are looked at from the largest down, names from A on.
      const first = head.classList.contains("n") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const direction = head.ariaSort === first ? other : first;
      for (const each of heads) each.removeAttribute("aria-sort");
      head.ariaSort = direction;
      sorted = rows.toSorted(order(column, direction === "descending"));
      body.append(...sorted);
      show();
    });
  });
  for (const [menu] of menus) menu.addEventListener("change", show);
  search.addEventListener("input", show);
  csv.addEventListener("click", () => save(name, csvOf(heads, show())));
  all.addEventListener("click", () => {
    most = rows.length;
    show();
  });
  if (rows.length > 5) tools.append(search, ...menus.map(([menu]) => menu));
  tools.append(shown, csv);
  const box = table.closest(".scroll") ?? table;
  box.before(tools);
  box.after(all);
  show();
}

for (const table of document.querySelectorAll("table[data-table]")) equip(table);
