#!/usr/bin/env bash
# yaml-language-server 1.25.0: where the schema of a value itself is a condition, what stands in its `then` or `else` is not proposed as a value, though
# the value is validated by it (a word that is not of the enum is told). Where the condition stands around the mapping that has the value, both words
# are proposed; so are they where the same enum stands beside the value's own condition, too, in an `anyOf` that lets all through.
# Seen: "around: left, right; refused true", "else: ; refused true", "then: ; refused true" and "beside: left, right; refused true"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --prefix "$folder" yaml-language-server@1.25.0 >/dev/null 2>&1
cat > "$folder/around.json" <<'JSON'
{"type": "object", "if": {"required": ["base"]}, "else": {"properties": {"side": {"enum": ["left", "right"]}}}}
JSON
cat > "$folder/else.json" <<'JSON'
{"type": "object", "properties": {"side": {"if": {"type": "object"}, "else": {"enum": ["left", "right"]}}}}
JSON
cat > "$folder/then.json" <<'JSON'
{"type": "object", "properties": {"side": {"if": {"not": {"type": "object"}}, "then": {"enum": ["left", "right"]}}}}
JSON
cat > "$folder/beside.json" <<'JSON'
{"type": "object", "properties": {"side": {"anyOf": [{"enum": ["left", "right"]}, {}], "if": {"type": "object"}, "else": {"enum": ["left", "right"]}}}}
JSON
cat > "$folder/asked.mjs" <<'JAVASCRIPT'
import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const uris = Object.fromEntries(["around", "else", "then", "beside"].map((name) => [name, pathToFileURL(`${folder}/${name}.json`).href]));
const schemas = Object.fromEntries(Object.entries(uris).map(([name, uri]) => [uri, `${name}-*.yaml`]));
const server = spawn(`${folder}/node_modules/.bin/yaml-language-server`, ["--stdio"]);
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
server.stdout.on("data", (more) => {
  read = Buffer.concat([read, more]);
  for (let head; (head = read.indexOf("\r\n\r\n")) >= 0; ) {
    const end = head + 4 + Number(/Content-Length: (\d+)/i.exec(read.subarray(0, head))[1]);
    if (read.length < end) return;
    const message = JSON.parse(read.subarray(head + 4, end));
    read = read.subarray(end);
    if (message.method === "workspace/configuration") {
      const settings = { completion: true, validate: true, schemas };
      send({ id: message.id, result: message.params.items.map((one) => (one.section === "yaml" ? settings : null)) });
    } else if (message.method === "textDocument/publishDiagnostics") told.get(message.params.uri)?.(message.params.diagnostics);
    else if (message.method && message.id !== undefined) send({ id: message.id, result: null });
    else answers.get(message.id)?.(message.result);
  }
});
await ask("initialize", {
  processId: process.pid, rootUri: null,
  capabilities: { workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true } }, textDocument: { completion: {} } },
});
send({ method: "initialized", params: {} });
const open = (uri, text) => new Promise((done) => {
  told.set(uri, done);
  send({ method: "textDocument/didOpen", params: { textDocument: { uri, languageId: "yaml", version: 1, text } } });
});
for (const name of Object.keys(uris)) {
  const wrong = await open(`file:///${name}-wrong.yaml`, "side: up\n");
  const uri = `file:///${name}-empty.yaml`;
  await open(uri, "side: \n");
  const found = await ask("textDocument/completion", { textDocument: { uri }, position: { line: 0, character: 6 } });
  const words = (found.items ?? found).map((one) => one.label).sort();
  console.log(`${name}: ${words.join(", ")}; refused ${wrong.length > 0}`);
}
server.kill();
JAVASCRIPT
node "$folder/asked.mjs" "$folder" | tee "$folder/seen"
grep -qx 'around: left, right; refused true' "$folder/seen"
grep -qx 'else: ; refused true' "$folder/seen"
grep -qx 'then: ; refused true' "$folder/seen"
grep -qx 'beside: left, right; refused true' "$folder/seen"
