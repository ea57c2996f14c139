/** The bundle with an editor that is made up, and the server that it names, which is real. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import Module from "node:module";
import { test } from "node:test";
import rpc from "vscode-jsonrpc/node.js";

const COMMAND = process.env.DLSPEC ?? "dlspec";
const STUDY = "dlspec: 1\nstudy: s\nexperiments:\n  e:\n    task: {example: {x: normal(), y: sqrtt(x)}}\n    measures: {m: E(y)}\n";

test("the server tells of an error, and what is meant", async () => {
  const server = spawn(COMMAND, ["lsp"], { stdio: ["pipe", "pipe", "inherit"] });
  const line = rpc.createMessageConnection(new rpc.StreamMessageReader(server.stdout), new rpc.StreamMessageWriter(server.stdin));
  try {
    const told = new Promise((done) => line.onNotification("textDocument/publishDiagnostics", done));
    line.listen();
    const { capabilities } = await line.sendRequest("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
    for (const one of ["completionProvider", "hoverProvider", "definitionProvider", "renameProvider", "codeActionProvider", "inlayHintProvider"]) {
      assert.ok(capabilities[one], one);
    }
    await line.sendNotification("initialized", {});
    const textDocument = { uri: "file:///study.yaml", languageId: "yaml", version: 1, text: STUDY };
    await line.sendNotification("textDocument/didOpen", { textDocument });
    const { diagnostics } = await told;
    assert.equal(diagnostics.length, 1);
    assert.match(diagnostics[0].message, /unknown operation 'sqrtt'/);
    assert.match(diagnostics[0].message, /Did you mean 'sqrt'/);
    assert.equal(diagnostics[0].range.start.line, 4);
    await line.sendRequest("shutdown");
    await line.sendNotification("exit");
  } finally {
    line.dispose();
    server.kill();
  }
});

test("the bundle is an extension that the manifest names", () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  const require = createRequire(import.meta.url);
  const load = Module._load;
  class Anything {}
  const editor = new Proxy({}, { get: (_, name) => (name === "version" ? "1.91.0" : Anything) });
  Module._load = (name, ...rest) => (name === "vscode" ? editor : load(name, ...rest));
  try {
    const extension = require(`../${manifest.main}`);
    assert.equal(typeof extension.activate, "function");
    assert.equal(typeof extension.deactivate, "function");
  } finally {
    Module._load = load;
  }
  assert.ok(manifest.contributes.configuration.properties["dlspec.command"]);
});
