// Tables marked data-rows: j and k move, x selects, c compares. Selected rows grow the compare link.

class Rows {
  constructor(table) {
    this.rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    this.at = -1;
    this.form = table.closest("form[data-compare]");
    this.form?.addEventListener("change", () => this.count());
    this.count();
  }

  move(step) {
    if (!this.rows.length) return;
    this.rows[this.at]?.classList.remove("is-at");
    this.at = Math.min(Math.max(this.at + step, 0), this.rows.length - 1);
    const row = this.rows[this.at];
    row.classList.add("is-at");
    row.scrollIntoView({ block: "nearest" });
    (row.querySelector("a[href]") ?? row).focus({ preventScroll: true });
  }

  pick() {
    const box = this.rows[this.at]?.querySelector("[data-pick]");
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
