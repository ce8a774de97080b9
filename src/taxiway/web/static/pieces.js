// form[data-flow]: its answer is read and shown as it is made, in the [data-pieces] before it. A button ends it; one named
// `whole` sends the form as ever, and so does a browser without scripts.
const MOST_SHOWN = 100_000; // characters; of a longer answer the end is shown

/** A piece as it stands on the page: texts side by side, others on a line each. */
export function shown(piece) {
  if (typeof piece.prediction === "string" && Object.keys(piece).length === 1) return piece.prediction;
  const said = (value) => (typeof value === "number" ? String(Number(value.toPrecision(4))) : typeof value === "string" ? value : JSON.stringify(value));
  return `${Object.entries(piece).map(([name, value]) => `${name} ${said(value)}`).join(", ")}\n`;
}

/** Each line of a body, parsed. */
export async function* lines(body) {
  const decoder = new TextDecoder();
  let rest = "";
  for (const reader = body.getReader(); ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    const found = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = found.pop();
    for (const line of found) if (line) yield JSON.parse(line);
  }
}

class Flow {
  constructor(form, panel) {
    this.form = form;
    this.panel = panel;
    this.text = panel.querySelector("pre");
    this.stop = form.querySelector("[data-stop]");
    this.stop.addEventListener("click", () => this.ending.abort());
    form.addEventListener("submit", (event) => {
      if (event.submitter?.name === "whole") return;
      event.preventDefault();
      if (!this.ending) this.run();
    });
    form.querySelector("[name=whole]").hidden = false;
  }

  async run() {
    this.ending = new AbortController();
    this.count = this.length = 0;
    this.began = performance.now();
    this.text.replaceChildren();
    this.panel.hidden = false;
    this.stop.hidden = false;
    this.tell("missing", "Waiting for the first piece");
    this.panel.scrollIntoView({ block: "nearest" });
    try {
      await this.read();
    } catch (error) {
      if (this.ending.signal.aborted) this.tell("missing", `Stopped after ${this.counted()}: what came until then is all there is`);
      else this.tell("fail", `The connection ended after ${this.counted()} (${error.message}). Ask again for the whole.`);
    } finally {
      const hadFocus = document.activeElement === this.stop;
      this.stop.hidden = true;
      this.ending = null;
      if (hadFocus) this.form.querySelector(".is-primary").focus();
    }
  }

  async read() {
    const body = new URLSearchParams(new FormData(this.form));
    const answer = await fetch(this.form.dataset.flow, { method: "POST", body, signal: this.ending.signal });
    if (!answer.ok) return this.tell("fail", (await answer.json()).detail);
    for await (const event of lines(answer.body)) {
      if (event.error) return this.tell("fail", event.error.detail, event.error.request_id);
      if (event.end) return this.tell("pass", `${this.counted()} in ${this.spent()}, the first after ${this.first}`, event.end.prediction_id);
      this.show(event.piece);
    }
    throw new Error("without a last word");
  }

  show(piece) {
    if (!this.count) this.first = this.spent();
    this.count += 1;
    const text = shown(piece);
    const isAtEnd = this.text.scrollTop + this.text.clientHeight > this.text.scrollHeight - 4;
    this.text.append(text);
    this.length += text.length;
    while (this.length > MOST_SHOWN && this.text.childNodes.length > 1) {
      this.length -= this.text.firstChild.length;
      this.text.firstChild.remove();
    }
    if (isAtEnd) this.text.scrollTop = this.text.scrollHeight;
    if (this.count === 1) this.tell("missing", "Answering");
  }

  tell(how, text, id = "") {
    for (const each of this.panel.querySelectorAll("[data-how]")) {
      each.hidden = each.dataset.how !== how;
      if (each.hidden) continue;
      each.querySelector("span:last-of-type").textContent = text;
      const link = each.querySelector("a");
      link.hidden = !id || !this.count;
      link.href = `/endpoints/predictions/${id}`;
    }
    this.text.hidden = !this.count;
  }

  counted() {
    return this.count === 1 ? "1 piece" : `${this.count} pieces`;
  }

  spent() {
    const ms = performance.now() - this.began;
    return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
  }
}

export function watchFlows() {
  for (const form of document.querySelectorAll("form[data-flow]")) new Flow(form, form.parentElement.querySelector("[data-pieces]"));
}
