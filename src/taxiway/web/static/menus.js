// Menus close on Escape and on a click elsewhere; the theme switch inside one shows and remembers its choice.

function chooseTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("taxiway-theme");
    else localStorage.setItem("taxiway-theme", theme);
  } catch {
    // Without storage the choice holds for this page.
  }
}

function watchThemes() {
  const buttons = [...document.querySelectorAll("[data-theme-choice]")];
  const show = () => {
    const now = document.documentElement.dataset.theme ?? "system";
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.themeChoice === now));
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      chooseTheme(button.dataset.themeChoice);
      show();
    });
    button.closest("fieldset").hidden = false;
  }
  show();
}

/** On a phone the navigation scrolls sideways: where we are should be in sight. */
function showWhereWeAre() {
  const bar = document.querySelector(".nav ul");
  const here = bar?.querySelector("[aria-current]");
  if (here && bar.scrollWidth > bar.clientWidth) bar.scrollLeft = here.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
}

export function watchMenus() {
  showWhereWeAre();
  const menus = [...document.querySelectorAll("details.menu")];
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus.filter((each) => each.open)) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  watchThemes();
}
