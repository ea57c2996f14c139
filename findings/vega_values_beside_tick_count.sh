#!/usr/bin/env bash
# Vega 6.4.0 with Vega-Lite 6.4.3: an axis that is given the places of its ticks (`values`) and a `tickCount` does not draw all of these places: it leaves out every
# second, or more, until about as many are left as the count says. The documentation has `values` for the explicit places, and `tickCount` as a hint where Vega
# chooses them. `labelOverlap: false` brings none back; without `tickCount` all are drawn.
# Seen: "values alone: 0.1 0.2 0.5 1 2 5 10; with tickCount 5: 0.1 0.5 2 10"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund vega@6.4.0 vega-lite@6.4.3 > /dev/null 2>&1
cat > ticks.mjs <<'JS'
import * as vega from 'vega';
import { compile } from 'vega-lite';

async function ticks(more) {
  const { spec } = compile({
    data: { values: [{ x: 0.1, y: 1 }, { x: 10, y: 2 }] },
    mark: 'line', width: 600, height: 100,
    encoding: {
      x: {
        field: 'x', type: 'quantitative', scale: { type: 'log' },
        axis: { values: [0.1, 0.2, 0.5, 1, 2, 5, 10], labelOverlap: false, ...more },
      },
      y: { field: 'y', type: 'quantitative', axis: null },
    },
  });
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  const svg = await view.toSVG();
  return [...svg.matchAll(/<text[^>]*>([0-9.]+)<\/text>/g)].map((found) => found[1]).join(" ");
}
console.log(`values alone: ${await ticks({})}; with tickCount 5: ${await ticks({ tickCount: 5 })}`);
JS
said=$(node ticks.mjs 2>/dev/null)
echo "$said"
[ "$said" = "values alone: 0.1 0.2 0.5 1 2 5 10; with tickCount 5: 0.1 0.5 2 10" ]
