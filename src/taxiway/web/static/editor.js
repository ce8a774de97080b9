// <form data-check="…">: a text that is checked while it is written. What comes back is shown under it, and the line
// that is wrong can be jumped to.
const AFTER_MS = 400;

export function watchEditors() {
  for (const form of document.querySelectorAll("form[data-check]")) {
    const text = form.querySelector("textarea");
    const shown = form.querySelector(".checked");
    let timer, count = 0;
    text.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(async () => {
        const mine = ++count;
        try {
          const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(form)) });
          if (answer.ok && mine === count) shown.innerHTML = await answer.text();
        } catch {
          // The server is away for a moment: the button asks again.
        }
      }, AFTER_MS);
    });
    shown.addEventListener("click", (event) => {
      const line = event.target.closest("mark")?.dataset.line;
      if (line) select(text, Number(line));
    });
  }
}

function select(text, line) {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
}
