// Figures: drawn by Vega-Lite in place of their images, once they are about to be seen. The library lies packed in the page.
const unpacked = async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
};
// The table of points as rows; Vega's own reader of CSV makes functions out of text, which the page's policy forbids.
const rowsOf = (points) => {
  const [head, ...lines] = points.trimEnd().split("\n"), names = head.split(","), last = names.length - 1;
  return lines.map((line) => {
    const parts = line.split(","), row = Object.fromEntries(names.slice(0, last).map((name, i) => [name, parts[i] === "" ? null : Number(parts[i])]));
    row[names[last]] = parts.slice(last).join(",").replace(/^"|"$/g, "").replaceAll('""', '"');
    return row;
  });
};
const MOST_ELEMENTS = 1000;  // of more points a browser draws pixels, not an element each
let loaded = null;
const library = async () => {
  const script = document.createElement("script");
  script.textContent = await unpacked(document.getElementById("library").textContent);
  document.head.append(script);
  return globalThis.vegaLite;
};
// Panels side by side take no more columns than have room.
const width = (view) => {
  const parts = (view.vconcat ?? view.concat ?? []).map(width), columns = view.vconcat ? 1 : view.columns ?? parts.length;
  if (!parts.length) return view.width + 70;
  return Math.max(...parts.map((_, i) => (i % columns ? 0 : parts.slice(i, i + columns).reduce((sum, one) => sum + one, 0))));
};
const fit = (view, room) => {
  for (const part of view.vconcat ?? view.concat ?? []) fit(part, room);
  while (view.concat && view.columns > 1 && width(view) > room) view.columns -= 1;
};
const draw = async (plot) => {
  const { points, drawing } = JSON.parse(await unpacked(plot.querySelector("script.packed").textContent));
  if (!drawing) return;
  const { compile, parse, View, expressionInterpreter, Handler } = await (loaded ??= library());
  drawing.data = { values: rowsOf(points) };
  fit(drawing, plot.closest(".scroll").clientWidth);
  const place = document.createElement("div");
  place.className = "drawing";
  place.setAttribute("aria-hidden", "true");  // the image's words and the table below say the same
  const view = new View(parse(compile(drawing).spec, null, { ast: true }), {
    expr: expressionInterpreter, container: place, renderer: drawing.data.values.length > MOST_ELEMENTS ? "canvas" : "svg", hover: true,
    tooltip: new Handler({ disableDefaultStyle: true }).call,
  });
  await view.runAsync();
  plot.append(place);
  plot.classList.add("drawn");
  plot.view = view;
};
const waiting = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen)
    if (isIntersecting) {
      waiting.unobserve(target);
      draw(target);
    }
}, { rootMargin: "300px" });
if (document.getElementById("library"))
  window.addEventListener("load", () => {
    for (const plot of document.querySelectorAll(".plot.drawable")) waiting.observe(plot);
  });
