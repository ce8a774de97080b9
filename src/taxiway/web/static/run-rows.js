// <run-rows data-src data-mark data-next>: a table of runs that goes on where it ends, and shows what is new or changed
// without losing what was selected. Without it the page has a link to the next rows.

const EVERY_MS = 4000;

class RunRows extends HTMLElement {
  connectedCallback() {
    this.body = this.querySelector("tbody");
    this.next = this.dataset.next;
    this.mark = this.dataset.mark;
    this.goOn();
    if (!this.hasAttribute("data-still")) this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    this.watcher?.disconnect();
  }

  // Rows further down: fetched when the link to them comes near.
  goOn() {
    const link = document.querySelector("[data-more]");
    if (!link || !this.next) return;
    link.addEventListener("click", (event) => {
      if (!this.next) return;
      event.preventDefault();
      this.more(link);
    });
    this.watcher = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.more(link), {
      rootMargin: "600px",
    });
    this.watcher.observe(link);
  }

  async more(link) {
    if (this.isLooking || !this.next) return;
    const rows = await this.fetched(this.next);
    if (!rows) return;
    for (const row of [...rows.rows]) if (!this.known(row.dataset.run)) this.body.append(row);
    this.next = rows.dataset.next;
    if (!this.next) {
      this.watcher?.disconnect();
      link.remove();
    }
    this.changed();
    this.watcher?.unobserve(link); // seen afresh, in case the link is still in sight
    if (this.next) this.watcher?.observe(link);
  }

  // What is new or changed: the first rows again, each put where it belongs now.
  async look() {
    if (document.hidden || this.isLooking) return;
    const rows = await this.fetched(`${this.dataset.src}${this.dataset.src.includes("?") ? "&" : "?"}seen=${this.mark}`);
    if (!rows) return;
    this.mark = rows.dataset.mark;
    let place = this.body.firstElementChild;
    for (const row of [...rows.rows]) {
      const old = this.known(row.dataset.run);
      const shown = old ?? row;
      if (old) renew(old, row);
      else row.classList.add("is-new");
      if (shown === place) place = place.nextElementSibling;
      else this.body.insertBefore(shown, place);
    }
    this.changed();
  }

  known(run) {
    return this.body.querySelector(`tr[data-run="${CSS.escape(run)}"]`);
  }

  async fetched(url) {
    this.isLooking = true;
    try {
      const answer = await fetch(url);
      const text = answer.ok ? await answer.text() : "";
      return new DOMParser().parseFromString(text, "text/html").querySelector("tbody");
    } catch {
      return null; // the server is away for a moment: the next look may find it
    } finally {
      this.isLooking = false;
    }
  }

  changed() {
    this.body.closest("table").dispatchEvent(new Event("rows-changed"));
  }
}

// A row's cells, but for the one that says whether it is selected, and never those where somebody is.
function renew(old, row) {
  if (old.innerHTML === row.innerHTML) return;
  [...row.cells].slice(1).forEach((cell, at) => {
    const there = old.cells[at + 1];
    if (there && there.innerHTML !== cell.innerHTML && !there.matches(":focus-within")) there.replaceWith(cell);
  });
}

customElements.define("run-rows", RunRows);
