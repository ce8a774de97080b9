// Buttons with data-copy put that text on the clipboard and say so. They are hidden until this runs.

export function watchCopying() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    const word = button.textContent;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        button.textContent = "copied";
      } catch {
        button.textContent = "not allowed";
      }
      setTimeout(() => (button.textContent = word), 1600);
    });
  }
}
