// A table whose rows open something: moods as chips, trends as lines, heads that order the list.
import { clock, el } from "./dom.js";
import { LABELS, chip, labelOf, signed, sparkline, wordOf } from "./mood.js";

export function mount(component) {
  let latest = component;
  const root = component.parentElement.querySelector(".ov-table");
  root.tabIndex = -1;

  function draw() {
    const { rows, columns, name, sort, selected } = latest.data;
    const chosen = selected === null ? null : new Set(selected);
    const grid = el("table");
    grid.setAttribute("aria-label", name);
    const head = el("tr");
    if (chosen) head.append(el("th", "box"));
    head.append(...columns.map((column) => headCell(column, sort)));
    const body = el("tbody");
    body.append(...rows.map((row) => bodyRow(row, columns, chosen)));
    const top = el("thead");
    top.append(head);
    grid.append(top, body);
    root.replaceChildren(grid);
  }

  function headCell(column, sort) {
    const cell = el("th", column.kind);
    cell.scope = "col";
    if (!column.orders) {
      cell.textContent = column.title;
      return cell;
    }
    const place = column.orders.indexOf(sort);
    const node = el("button", "ov-head", column.title);
    node.type = "button";
    if (place >= 0) {
      const falling = column.falling?.includes(sort);
      cell.ariaSort = falling ? "descending" : "ascending";
      const arrow = el("span", "ov-arrow", falling ? " ↓" : " ↑");
      arrow.setAttribute("aria-hidden", "true");
      node.append(arrow);
    }
    node.addEventListener("click", () =>
      latest.setTriggerValue("sorted", column.orders[(place + 1) % column.orders.length]),
    );
    cell.append(node);
    return cell;
  }

  function bodyRow(row, columns, chosen) {
    const node = el("tr", "");
    node.dataset.id = row.id;
    node.tabIndex = 0;
    if (chosen) {
      const box = el("input");
      box.type = "checkbox";
      box.checked = chosen.has(row.id);
      box.setAttribute("aria-label", `Show the trend of ${row.name ?? row.id}`);
      box.addEventListener("change", () => {
        if (box.checked) chosen.add(row.id);
        else chosen.delete(row.id);
        latest.setTriggerValue("picked", [...chosen]);
      });
      const cell = el("td", "box");
      cell.addEventListener("click", (event) => event.stopPropagation());
      cell.append(box);
      node.append(cell);
    }
    node.append(...columns.map((column) => bodyCell(row, column)));
    const open = () => latest.setTriggerValue("opened", row.id);
    node.addEventListener("click", () => {
      if (!String(getSelection())) open(); // a text that was being marked is not a click
    });
    node.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === node) open();
    });
    return node;
  }

  draw();
  return {
    update(component) {
      const same = JSON.stringify(component.data) === JSON.stringify(latest.data);
      latest = component;
      if (!same) draw();
    },
    stop() {},
  };
}

function bodyCell(row, column) {
  const cell = el("td", column.kind);
  const value = row[column.field];
  cell.append(...(DRAWN[column.kind] ?? DRAWN.text)(value, row, column));
  return cell;
}

const texts = (main, below) => (below ? [el("div", "main", main), el("div", "below", below)] : [el("div", "", main)]);

const DRAWN = {
  text: (value, row, column) => texts(value ?? "–", row[column.below]),
  person(value, row, column) {
    const parts = texts(value ?? "–", row[column.below]);
    parts[0].className = "main";
    if (row.status === "live") parts[0].append(el("span", "ov-live", "live"));
    if (row.status === "lost") parts[0].append(el("span", "ov-live lost", "no signal"));
    return parts;
  },
  label(value) {
    const one = chip();
    one.setLabel(value);
    return [one.root];
  },
  number: (value) => texts(value === null ? "–" : value.toLocaleString()),
  duration: (value) => texts(value === null ? "–" : clock(value)),
  time(value) {
    const day = new Date(value);
    const sameYear = day.getFullYear() === new Date().getFullYear();
    const date = day.toLocaleDateString([], { day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) });
    const cell = el("div", "", `${date}, ${day.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`);
    cell.title = day.toLocaleString();
    return [cell];
  },
  mood(value) {
    const mood = chip();
    mood.setMood(value);
    return [mood.root];
  },
  // A mean with its 95 % interval on a scale of -1..1.
  interval(value) {
    if (!value) return [el("span", "ov-muted", "too few calls")];
    const [low, high] = value;
    const place = (point) => `${((point + 1) * 50).toFixed(1)}%`;
    const bar = el("div", "ov-range");
    const inner = el("div", "ov-range-inner");
    inner.style.left = place(low);
    inner.style.right = `${(100 - (high + 1) * 50).toFixed(1)}%`;
    const middle = el("div", "ov-range-dot");
    middle.style.left = place((low + high) / 2);
    bar.append(inner, middle);
    return [bar, el("div", "below", `${signed(low)} to ${signed(high)}`)];
  },
  trend(value, row) {
    const line = sparkline(110, 26);
    line.root.dataset.mood = labelOf(row.mood);
    line.draw(value);
    return [line.root];
  },
  // Counts of negative, neutral and positive sentences as one bar.
  labels(value) {
    const total = value.reduce((sum, n) => sum + n, 0);
    const bar = el("div", "ov-shares");
    value.forEach((n, i) => {
      if (!n) return;
      const part = el("div", `ov-share ${LABELS[i]}`);
      part.style.flexGrow = String(n);
      bar.append(part);
    });
    bar.title = value.map((n, i) => `${wordOf(LABELS[i])}: ${n}`).join(", ");
    return total ? [bar] : [el("span", "ov-muted", "–")];
  },
};
