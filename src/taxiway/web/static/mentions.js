// <mention-box people="ana vera">: after an @ in its text the people who can be told are offered in a list. Arrows move,
// Enter or Tab takes, Escape closes; the text keeps the focus. Without scripts it is the text alone.
const MOST = 8;
const WORD = /(^|[^\w@./-])@([a-z0-9._-]*)$/;

/** Whom the text before the caret asks for, best first, and how long what was written of the name is; or null. */
export function offered(before, people) {
  const found = WORD.exec(before);
  if (!found) return null;
  const names = people.filter((name) => name.startsWith(found[2]));
  return names.length ? { names: names.slice(0, MOST), written: found[2].length } : null;
}

class MentionBox extends HTMLElement {
  connectedCallback() {
    this.text = this.querySelector("textarea");
    this.people = (this.getAttribute("people") ?? "").split(" ").filter(Boolean);
    if (!this.text || !this.people.length) return;
    this.list = document.createElement("ul");
    this.list.id = `people-${this.text.id}`;
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "People to tell");
    this.append(this.list);
    for (const [name, value] of [["autocomplete", "list"], ["controls", this.list.id], ["haspopup", "listbox"]]) {
      this.text.setAttribute(`aria-${name}`, value);
    }
    this.text.addEventListener("input", () => this.offer());
    this.text.addEventListener("click", () => this.offer());
    this.text.addEventListener("blur", () => this.close());
    this.text.addEventListener("keydown", (event) => this.press(event));
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the text keeps the focus
      const chosen = event.target.closest("li");
      if (chosen) this.take(chosen.textContent);
    });
  }

  offer() {
    const { text } = this;
    const found = text.selectionStart === text.selectionEnd && offered(text.value.slice(0, text.selectionStart), this.people);
    if (!found) return this.close();
    this.written = found.written;
    this.list.replaceChildren(
      ...found.names.map((name, n) => {
        const item = document.createElement("li");
        item.id = `${this.list.id}-${n}`;
        item.setAttribute("role", "option");
        item.textContent = name;
        return item;
      }),
    );
    this.list.hidden = false;
    this.move(0);
  }

  move(to) {
    const items = [...this.list.children];
    this.at = (to + items.length) % items.length;
    items.forEach((item, n) => item.setAttribute("aria-selected", String(n === this.at)));
    this.text.setAttribute("aria-activedescendant", items[this.at].id);
  }

  press(event) {
    if (this.list.hidden || event.isComposing) return;
    const acts = {
      ArrowDown: () => this.move(this.at + 1),
      ArrowUp: () => this.move(this.at - 1),
      Enter: () => this.take(this.list.children[this.at].textContent),
      Tab: () => this.take(this.list.children[this.at].textContent),
      Escape: () => this.close(),
    };
    const act = acts[event.key];
    if (!act || event.shiftKey) return;
    event.preventDefault();
    act();
  }

  take(name) {
    const end = this.text.selectionStart;
    this.text.setRangeText(`${name} `, end - this.written, end, "end");
    this.close();
  }

  close() {
    this.list.hidden = true;
    this.text.removeAttribute("aria-activedescendant");
  }
}

export const watchMentions = () => customElements.define("mention-box", MentionBox);
