// <live-part data-src="…">: a part of a page that fetches itself again while what it shows goes on, and forms marked
// data-auto that send themselves when something in them is changed.
import { watchCharts } from "./charts.js";

const EVERY_MS = 2000;

class LivePart extends HTMLElement {
  connectedCallback() {
    if (this.dataset.src) this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  async look() {
    if (document.hidden || this.isLooking || this.matches(":focus-within")) return;
    this.isLooking = true;
    try {
      const seen = this.querySelector("[data-mark]")?.dataset.mark ?? "";
      const answer = await fetch(`${this.dataset.src}&seen=${encodeURIComponent(seen)}`);
      if (answer.ok) this.show(await answer.text());
    } catch {
      // The server is away for a moment: the next look may find it.
    } finally {
      this.isLooking = false;
    }
  }

  show(html) {
    if (!html.trim()) return;
    const open = new Map([...this.querySelectorAll("details")].map((each, at) => [at, each.open]));
    this.innerHTML = html;
    [...this.querySelectorAll("details")].forEach((each, at) => open.has(at) && (each.open = open.get(at)));
    watchCharts(this);
    watchForms(this);
    const part = this.querySelector("[data-mark]");
    const heading = document.querySelector("h1 .live-answer");
    if (heading && part?.dataset.answer) heading.textContent = part.dataset.answer;
    if (part?.hasAttribute("data-ended")) clearInterval(this.timer);
  }
}

export function watchForms(root = document) {
  for (const form of root.querySelectorAll("form[data-auto]")) {
    form.querySelector("button").classList.add("only-heard");
    for (const range of form.querySelectorAll("input[type=range]")) {
      range.addEventListener("input", () => (range.parentElement.querySelector("output").textContent = `${range.value} %`));
    }
    form.addEventListener("change", () => form.requestSubmit());
  }
}

export function watchLive() {
  customElements.define("live-part", LivePart);
  watchForms();
}
