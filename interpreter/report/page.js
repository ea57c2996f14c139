"use strict";
// The numbers under the pointer: the nearest point of each figure, from the places that lie beside its image.
for (const plot of document.querySelectorAll(".plot.numbers")) {
  const image = plot.querySelector("img");
  const points = [];
  for (const panel of JSON.parse(plot.querySelector("script").textContent).panels)
    for (const series of panel.series)
      series.x.forEach((x, i) => points.push({
        left: series.left[i], top: series.top[i],
        text: `${series.label}\n${panel.x || "entry"} ${x}\n${panel.y || "value"} ${series.y[i]}`
          + (series.low ? `\nfrom ${series.low[i]} to ${series.high[i]}` : ""),
      }));
  const mark = plot.appendChild(document.createElement("div"));
  const tip = plot.appendChild(document.createElement("div"));
  mark.className = "mark";
  tip.className = "tip";
  mark.setAttribute("aria-hidden", "true");  // the table below the figure says the same
  tip.setAttribute("aria-hidden", "true");
  const hide = () => { mark.hidden = tip.hidden = true; };
  const show = (event) => {
    const box = image.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    let nearest = null, distance = 40 * 40;
    for (const point of points) {
      const d = (point.left * box.width - x) ** 2 + (point.top * box.height - y) ** 2;
      if (d < distance) [nearest, distance] = [point, d];
    }
    if (!nearest) return hide();
    mark.hidden = tip.hidden = false;
    tip.textContent = nearest.text;
    const left = nearest.left * box.width, top = nearest.top * box.height;
    mark.style.left = `${left}px`;
    mark.style.top = `${top}px`;
    tip.style.left = `${Math.max(0, Math.min(left + 12, box.width - tip.offsetWidth))}px`;
    tip.style.top = `${top + 12 + tip.offsetHeight > box.height ? Math.max(0, top - 12 - tip.offsetHeight) : top + 12}px`;
  };
  hide();
  plot.addEventListener("pointermove", show);
  plot.addEventListener("pointerdown", show);
  plot.addEventListener("pointerleave", hide);
}
// Paper has no folds: all but the numbers behind figures and the single replicates is printed.
const folds = [...document.querySelectorAll("details:not(.behind):not(.each)")];
let closed = [];
window.addEventListener("beforeprint", () => {
  closed = folds.filter((fold) => !fold.open);
  for (const fold of closed) fold.open = true;
});
window.addEventListener("afterprint", () => { for (const fold of closed) fold.open = false; });
