// Tables marked data-rows: j and k move, x selects, c compares. Selected rows grow the compare link.

class Rows {
  constructor(table) {
    this.table = table;
    this.at = null;
    this.form = table.closest("form[data-compare]");
    this.form?.addEventListener("change", () => this.count());
    table.addEventListener("rows-changed", () => this.count());
    this.count();
  }

  get rows() {
    return [...this.table.tBodies].flatMap((body) => [...body.rows]);
  }

  move(step) {
    const rows = this.rows;
    if (!rows.length) return;
    const place = rows.indexOf(this.at) + step;
    this.at?.classList.remove("is-at");
    this.at = rows[Math.min(Math.max(place, 0), rows.length - 1)];
    this.at.classList.add("is-at");
    this.at.scrollIntoView({ block: "nearest" });
    (this.at.querySelector("a[href]") ?? this.at).focus({ preventScroll: true });
  }

  act(name) {
    this.at?.querySelector(`[data-act~="${CSS.escape(name)}"]`)?.click();
  }

  pick() {
    const box = this.at?.querySelector("[data-pick]");
    if (!box) return;
    box.checked = !box.checked;
    this.count();
  }

  count() {
    if (!this.form) return;
    const boxes = [...this.form.querySelectorAll("[data-pick]")];
    for (const box of boxes) box.closest("tr").classList.toggle("is-picked", box.checked);
    const picked = boxes.filter((box) => box.checked).length;
    const button = this.form.querySelector("[data-compare-button]");
    button.disabled = picked < 2;
    this.form.querySelector("[data-compare-count]").textContent =
      picked < 2 ? "select two or more rows to compare them" : `${picked} selected`;
  }

  compare() {
    const button = this.form?.querySelector("[data-compare-button]");
    if (button && !button.disabled) this.form.requestSubmit(button);
  }
}

export function watchRows() {
  const tables = [...document.querySelectorAll("table[data-rows]")].map((table) => new Rows(table));
  return tables[0] ?? null;
}
