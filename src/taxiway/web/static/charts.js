// Hover for figures: a crosshair with every series' value at that place, and the words of a mark at once
// instead of the browser's slow tooltip. The words stay in the drawing for readers without this script.

const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
tip.setAttribute("aria-hidden", "true");

function showTip(text, x, y) {
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.max(4, Math.min(y + 12, innerHeight - box.height - 4))}px`;
}

const hideTip = () => (tip.hidden = true);

// A <title> makes the browser's own tooltip; as aria-label it is still the name.
function liftTitle(element) {
  const title = element.querySelector(":scope > title");
  if (!title) return;
  element.setAttribute("aria-label", title.textContent);
  if (element.tagName === "g") element.setAttribute("role", "img");
  title.remove();
}

function watchMark(mark) {
  liftTitle(mark);
  const text = mark.getAttribute("aria-label");
  mark.addEventListener("pointermove", (event) => showTip(text, event.clientX, event.clientY));
  mark.addEventListener("pointerleave", hideTip);
  mark.addEventListener("focus", () => {
    const box = mark.getBoundingClientRect();
    showTip(text, box.right, box.top);
  });
  mark.addEventListener("blur", hideTip);
}

function nearest(points, x) {
  let low = 0;
  let high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < x) low = middle;
    else high = middle;
  }
  return Math.abs(points[low][0] - x) <= Math.abs(points[high][0] - x) ? points[low] : points[high];
}

function watchSeries(svg) {
  const crosshair = svg.querySelector(".crosshair");
  const series = [...svg.querySelectorAll("[data-points]")]
    .map((group) => ({ name: group.dataset.name, points: JSON.parse(group.dataset.points) }))
    .filter((each) => each.points.length);
  if (!crosshair || !series.length) return;
  svg.addEventListener("pointermove", (event) => {
    if (event.target.closest(".hot")) return;
    const x = (event.clientX - svg.getBoundingClientRect().left) * (svg.viewBox.baseVal.width / svg.clientWidth);
    const found = series.map((each) => ({ name: each.name, point: nearest(each.points, x) }));
    const place = found.reduce((best, each) => (Math.abs(each.point[0] - x) < Math.abs(best.point[0] - x) ? each : best));
    crosshair.setAttribute("x1", place.point[0]);
    crosshair.setAttribute("x2", place.point[0]);
    crosshair.classList.add("is-on");
    const lines = found.map((each) => `${each.name}: ${each.point[3]}`);
    showTip([place.point[2], ...lines].join("\n"), event.clientX, event.clientY);
  });
  svg.addEventListener("pointerleave", () => {
    crosshair.classList.remove("is-on");
    hideTip();
  });
}

export function watchCharts(root = document) {
  document.body.append(tip);
  for (const svg of root.querySelectorAll(".figure-svg")) {
    liftTitle(svg);
    for (const mark of svg.querySelectorAll(".hot")) watchMark(mark);
    watchSeries(svg);
  }
}
