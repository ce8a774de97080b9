// Runs before the page is drawn (not a module, in <head>): the remembered theme, without a flash of the other.
try {
  const theme = localStorage.getItem("taxiway-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden: then the system's theme holds.
}
