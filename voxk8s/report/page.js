"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const value = (row, column, text) => {
    const cell = row.cells[column];
    return text ? cell.textContent : Number(cell.dataset.v ?? NaN);
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    const text = head.classList.contains("text");
    button.addEventListener("click", () => {
      const first = text ? "ascending" : "descending";
      const other = text ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].map((row) => [value(row, column, text), row]);
      rows.sort(([a], [b]) => {
        if (text) return sign * a.localeCompare(b, "en", { numeric: true });
        if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
        return sign * (a - b);
      });
      body.append(...rows.map(([, row]) => row));
    });
  });
}

const field = document.getElementById("search");
const { texts, rows: listed, shown: withLine, total } = JSON.parse(document.getElementById("listed").textContent);
const more = listed.slice(withLine);
const mostShown = 200;
const seconds = (value) => value >= 1 ? `${Number(value.toPrecision(3))} s` : `${Number((value * 1000).toPrecision(3))} ms`;
const bytes = (value) => {
  let unit = "B";
  for (const next of ["KiB", "MiB", "GiB", "TiB"]) {
    if (value < 1024) break;
    [value, unit] = [value / 1024, next];
  }
  return `${Number(value.toPrecision(3))} ${unit}`;
};
const lines = more.map((row) =>
  [row[0], ...[1, 5, 6, 7].map((column) => texts[row[column]])].join(" ").toLowerCase());
const rowOf = ([operation, kernel, time, size, start, worker, notes, place, node]) => {
  const row = document.createElement("tr");
  row.className = "more";
  row.dataset.node = node;
  const cells = [operation, texts[kernel], seconds(time), bytes(size), start === null ? "" : seconds(start),
    ...[worker, notes, place].map((index) => texts[index])];
  const values = { 2: time, 3: size, 4: start };
  row.append(...cells.map((text, column) => {
    const cell = document.createElement("td");
    if (column === 0) {
      cell.append(Object.assign(document.createElement("code"), { textContent: text }));
    } else {
      cell.textContent = text;
    }
    if (column in values) {
      cell.className = "n";
      if (values[column] !== null) cell.dataset.v = values[column];
    }
    return cell;
  }));
  return row;
};
let only = null;
const search = () => {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (text) => words.every((word) => text.includes(word));
  document.querySelectorAll("tr.more").forEach((row) => row.remove());
  const counts = [];
  for (const table of document.querySelectorAll("table.searched")) {
    let count = 0;
    for (const row of table.tBodies[0].rows) {
      const other = only !== null && table.dataset.what === "operations" && row.dataset.node !== only;
      row.hidden = other || !fits(row.textContent.toLowerCase());
      count += !row.hidden;
    }
    if ((words.length || only !== null) && table.dataset.what === "operations") {
      const hits = more.filter((row, number) =>
        (only === null || String(row[8]) === only) && fits(lines[number]));
      table.tBodies[0].append(...hits.slice(0, mostShown).map(rowOf));
      count += hits.length;
    }
    if (table.dataset.what) counts.push(`${count} ${table.dataset.what}`);
  }
  document.querySelectorAll("svg .item").forEach((item) =>
    item.classList.toggle("dim", !fits(item.textContent.toLowerCase())));
  document.getElementById("found").textContent = words.length ? counts.join(", ") : "";
};
let waiting = 0;
field.hidden = false;
field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(search, 120);
});

const chosen = document.getElementById("only");
const operations = document.getElementById("lines");
const showOnly = (node, text) => {
  only = node;
  search();
  chosen.hidden = node === null;
  chosen.firstElementChild.textContent = text;
};
chosen?.lastElementChild.addEventListener("click", () => {
  showOnly(null, "");
  operations.focus();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-node]");
  if (!link) return;
  const node = link.dataset.node;
  const row = document.getElementById(`node-${node}`);
  const listed = operations?.querySelector(`tr[data-node="${node}"]`) ||
    more.some((each) => String(each[8]) === node);
  event.preventDefault();
  if (listed) {
    const box = document.querySelector(`.graph a[data-node="${node}"] title`);
    showOnly(node, `Only ${box.textContent}`);
    operations.focus({ preventScroll: true });
    document.getElementById("operations").scrollIntoView();
  } else {
    document.getElementById("nodes").open = true;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "center" });
  }
});

const table = () => {
  const begin = Number(document.body.dataset.started);
  const clean = (text) => String(text).replace(/[\t\r\n]/g, " ");
  const rows = listed.map(([operation, kernel, time, size, start, worker, notes, place]) =>
    [operation, texts[kernel], time, size, start === null ? "" : new Date(1000 * (begin + start)).toISOString(),
      texts[worker], texts[notes], texts[place]]);
  const names = ["operation", "kernel", "seconds", "bytes", "start", "worker", "notes", "place"];
  return [names, ...rows].map((row) => `${row.map(clean).join("\t")}\n`).join("");
};
const download = document.getElementById("export");
if (download) {
  download.hidden = false;
  if (listed.length < total) download.lastElementChild.textContent = `${listed.length} of ${total} operations`;
  download.firstElementChild.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([table()], { type: "text/tab-separated-values" }));
    link.download = "operations.tsv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
