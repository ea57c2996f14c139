// Makes interpreter/report/vega.min.js, which begins with the licences of all that is in it, and writes its checksum into package.json: `make vega`.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const absent = ["vega-geo", "vega-force", "d3-force", "vega-hierarchy", "d3-hierarchy", "vega-wordcloud", "vega-crossfilter", "vega-label",
  "vega-regression", "topojson-client"];
const made = await build({
  entryPoints: ["library.js"], bundle: true, minify: true, format: "iife", target: "es2020", charset: "ascii", legalComments: "none", metafile: true,
  alias: Object.fromEntries(absent.map((name) => [name, "./absent.cjs"])), write: false, outfile: "vega.min.js",
});
const packages = new Map();
for (const file of Object.keys(made.metafile.inputs)) {
  let folder = dirname(file);
  while (folder !== "." && !existsSync(join(folder, "package.json"))) folder = dirname(folder);
  if (!folder.includes("node_modules")) continue;
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const text = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  packages.set(`${name} ${version}`, { license, text: text ? readFileSync(join(folder, text), "utf8").trim() : null });
}
const by = new Map();  // packages of one licence text stand together
for (const [name, { license, text }] of [...packages].sort()) {
  const key = text ?? `${license}, whose text the package does not have`;
  by.set(key, [...(by.get(key) ?? []), `${name} (${license})`]);
}
const texts = [...by].map(([text, names]) => `${names.join(", ")}\n\n${text}\n`).join(`\n${"-".repeat(80)}\n\n`);
const content = `/*\nThese packages, put into one file and made small; parts that no figure uses are left out.\n\n${texts}*/\n${made.outputFiles[0].text}`;
writeFileSync("../interpreter/report/vega.min.js", content);
const stated = JSON.parse(readFileSync("package.json", "utf8"));
stated.sha256 = createHash("sha256").update(content).digest("hex");
writeFileSync("package.json", `${JSON.stringify(stated, null, 2)}\n`);
console.log(content.length, stated.sha256, packages.size);
