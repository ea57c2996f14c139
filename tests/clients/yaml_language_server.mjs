/**
 * Holds what yaml-language-server, which many editors have, makes of the schema: each message names the word that is wrong, and what it proposes is valid.
 *
 *   npm install --prefix FOLDER yaml-language-server@1.25 && node tests/clients/yaml_language_server.mjs FOLDER
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import path from "node:path";

const schema = pathToFileURL(path.resolve(import.meta.dirname, "../../schemas/study.schema.json")).href;
const server = spawn(path.join(process.argv[2], "node_modules/.bin/yaml-language-server"), ["--stdio"]);
const answers = new Map(), told = new Map();
let read = Buffer.alloc(0), last = 0;
const send = (message) => {
  const text = JSON.stringify({ jsonrpc: "2.0", ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
};
const ask = (method, params) => new Promise((done) => {
  answers.set((last += 1), done);
  send({ id: last, method, params });
});
const take = (message) => {
  const settings = { hover: true, completion: true, validate: true, schemas: { [schema]: "*.yaml" } };
  if (message.method === "workspace/configuration")
    send({ id: message.id, result: message.params.items.map((one) => (one.section === "yaml" ? settings : null)) });
  else if (message.method === "textDocument/publishDiagnostics") told.get(message.params.uri)?.(message.params.diagnostics);
  else if (message.method && message.id !== undefined) send({ id: message.id, result: null });
  else answers.get(message.id)?.(message.result);
};
server.stdout.on("data", (more) => {
  read = Buffer.concat([read, more]);
  for (;;) {
    const end = read.indexOf("\r\n\r\n"), length = Number(/Content-Length: (\d+)/.exec(read.subarray(0, end))?.[1]);
    if (end < 0 || read.length < end + 4 + length) return;
    const message = JSON.parse(read.subarray(end + 4, end + 4 + length));
    read = read.subarray(end + 4 + length);
    take(message);
  }
});

const STUDY = `dlspec: 1
study: s
experiments:
  e:
    task: {example: {x: "normal([2])"}}
    architecture:
      f: {input: x, layers: [dense: 1]}
    gradient: {f: exact}
    loss: {l: f^2}
    training: {optimizer: {adam: {learning_rate: 0.1}}, batch: 4, steps: 20}
    measures: {error: E(f^2)}
    claims:
      small: {says: It is small., check: final(error) < 1}
    figures:
      fall: {kind: curves, y: error}
    variants:
      plain: {}
      other: {training: {optimizer: {sgd: 0.1}}}
profiles:
  quick: {experiments: {e: {training: {steps: 4}}}}
`;
let count = 0;
/** The messages on a study in which a text stands for another. */
const messages = async (was, is) => {
  assert.ok(STUDY.includes(was), was);
  const uri = `file:///study_${(count += 1)}.yaml`;
  const heard = new Promise((done) => told.set(uri, done));
  send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "yaml", version: 1, text: STUDY.replace(was, is) } } });
  return (await heard).map((one) => one.message.split("\n")[0]);
};
/** What is proposed at the mark `│`. */
const proposed = async (was, is) => {
  const text = STUDY.replace(was, is), before = text.slice(0, text.indexOf("│")), uri = `file:///proposed_${(count += 1)}.yaml`;
  send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "yaml", version: 1, text: text.replace("│", "") } } });
  const line = before.split("\n").length - 1, position = { line, character: before.length - before.lastIndexOf("\n") - 1 };
  const found = await ask("textDocument/completion", { textDocument: { uri }, position });
  return (found.items ?? found).map((one) => ({ label: one.label, text: one.insertText ?? one.textEdit?.newText ?? "" }));
};

const client = { textDocument: { completion: { completionItem: { snippetSupport: true } }, hover: { contentFormat: ["markdown"] }, publishDiagnostics: {} }, workspace: { configuration: true } };
await ask("initialize", { processId: null, rootUri: null, capabilities: client });
send({ method: "initialized", params: {} });
send({ method: "workspace/didChangeConfiguration", params: { settings: {} } });

assert.deepEqual(await messages("study: s", "study: t"), [], "a valid study has no message");
const OPTIMIZER = "{adam: {learning_rate: 0.1}}";
for (const valid of ["{adam: 0.1}", "adam", "{f: adam}", "{f: {adam: {learning_rate: 0.1}}, g: {sgd: 0.1}}", "{adam: {learning_rate: 0.1 * 0.9 ^ step}}"])
  assert.deepEqual(await messages(OPTIMIZER, valid), [], valid);
const typed = await messages(OPTIMIZER, "admm");
console.log("admm", JSON.stringify(typed));
assert.equal(typed.length, 1);
const wrong = [
  [OPTIMIZER, "{adm: {learning_rate: 0.1}}", "adm"], [OPTIMIZER, "{adm: 0.1}", "adm"], [OPTIMIZER, "{adam: {learning_rat: 0.1}}", "learning_rat"],
  [OPTIMIZER, "{f: {adm: {learning_rate: 0.1}}}", "adm"], [OPTIMIZER, "{f: {adam: {learning_rat: 0.1}}}", "learning_rat"],
  ["{sgd: 0.1}", "{sgdd: {learning_rate: 0.1}}", "sgdd"], ["{sgd: 0.1}", "{f: {sgd: {momentun: 0.1}}}", "momentun"],
  ["[dense: 1]", "[dens: 1]", "dens"], ["[dense: 1]", "[dense: {unit: 1}]", "unit"], ["batch: 4", "batchs: 4", "batchs"],
  ["y: error", "z: error", "z"], ["says:", "say:", "say"], ["measures:", "measure:", "measure"], ["steps: 4", "step: 4", "step"],
  ["{f: exact}", "{f: {surogate: relu}}", "surogate"], ["plain: {}", "plain: {trainig: {steps: 4}}", "trainig"],
];
for (const [was, is, word] of wrong) {
  const found = await messages(was, is);
  console.log(is.padEnd(44), JSON.stringify(found));
  assert.ok(found.some((text) => text.includes(`Property ${word} is not allowed`)), `${is}: ${found}`);
  assert.ok(found.every((text) => text.includes(word) || text.startsWith("Missing property")), `${is}: ${found}`);
}
const { $defs: definitions } = JSON.parse(readFileSync(fileURLToPath(schema), "utf8"));
/** What has to be said of a layer that is written as a map. */
const required = (layer) => {
  const { anyOf = [{}], $ref = anyOf[0].$ref } = definitions.LayerEntry.anyOf[0].properties[layer];
  return definitions[$ref.split("/").pop()].required ?? [];
};
assert.deepEqual(required("conv1d"), ["filters", "kernel_size"]);
const TRAINING = "{optimizer: {adam: {learning_rate: 0.1}}, batch: 4, steps: 20}", NETWORK = "{input: x, layers: [dense: 1]}";
for (const [was, is, some] of [
  [TRAINING, "\n      optimizer:\n        adam:\n          │", "learning_rate"],
  [TRAINING, "\n      optimizer: │", "adam"], [TRAINING, "\n      │", "batch"],
  [NETWORK, "\n        input: x\n        layers:\n          - │", "dense"], ["{f: exact}", "\n      f: │", "stop"], ["plain: {}", "plain:\n        │", "training"],
]) {
  const found = await proposed(was, is);
  console.log(JSON.stringify(is).padEnd(60), found.slice(0, 5).map((one) => one.text).join(" | "));
  assert.ok(found.some((one) => one.label === some), `${is}: ${found.map((one) => one.label)}`);
  for (const { label, text } of found) assert.ok(text !== `${label}: ${label}` && !/\bnull\b|undefined/.test(text), `${is}: ${text}`);
  assert.ok(!found.some((one) => one.text === "surrogate"), "a mode that takes a function is not proposed without");
  for (const { label, text } of some === "dense" ? found : [])
    if (text.includes("\n")) for (const key of required(label)) assert.ok(text.includes(`\n    ${key}:`), `${text} lacks ${key}`);
}
/** What is shown of a word of the study: its head, what it means, and where that stands. */
const hover = async (words) => {
  const before = STUDY.slice(0, STUDY.indexOf(words)), uri = `file:///hover_${(count += 1)}.yaml`;
  send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "yaml", version: 1, text: STUDY } } });
  const position = { line: before.split("\n").length - 1, character: before.length - before.lastIndexOf("\n") };
  return (await ask("textDocument/hover", { textDocument: { uri }, position })).contents.value;
};
for (const [words, head, means] of [
  ["task:", "Task", "What is learnt."], ["learning_rate", "a number", "The size of a step"], ["dense: 1", "a number", "multiplies the last axis by a matrix"],
  ["steps: 20", "a number", "How many updates"], ["kind:", "Curves", "A measure over the steps of training"], ["says:", "Claim", "The sentence."],
  ["optimizer:", "OptimizerEntry", "One of Keras' optimisers"], ["exact", "GradientEntry", "How a backward pass is made"],
]) {
  const shown = await hover(words);
  console.log(words.padEnd(16), JSON.stringify(shown.split("\n\nSource")[0]));
  assert.ok(shown.startsWith(`#### ${head}\n\n${means}`), shown);
  assert.ok(!/\|\||\bnull\b|anyOf/.test(shown), shown);
}
console.log("all hold");
server.kill();
