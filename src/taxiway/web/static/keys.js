// Keys: "/" searches, "g" and a letter goes to a noun, j k x c work in the table, "?" shows them all.

const isTyping = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");

function showHelp() {
  const help = document.querySelector("#keys");
  if (help && !help.open) help.showModal();
}

function goTo(letter) {
  const link = document.querySelector(`[data-go="${CSS.escape(letter)}"]`);
  if (link) location.assign(link.href);
}

export function watchKeys(rows) {
  let waiting = 0; // when "g" was pressed, in ms; the letter must follow within a second
  const actions = {
    "/": () => document.querySelector("#search")?.focus(),
    "?": showHelp,
    j: () => rows?.move(1),
    k: () => rows?.move(-1),
    x: () => rows?.pick(),
    c: () => rows?.compare(),
    u: () => rows?.act("turn"),
    e: () => rows?.act("done"),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (waiting && event.timeStamp - waiting < 1000) {
      waiting = 0;
      goTo(event.key);
      return;
    }
    if (event.key === "g") {
      waiting = event.timeStamp;
      return;
    }
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });
  for (const button of document.querySelectorAll("[data-show-keys]")) {
    button.hidden = false;
    button.addEventListener("click", showHelp);
  }
}
