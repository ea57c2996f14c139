import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSync } from "esbuild";

const built = buildSync({ entryPoints: ["src/command.ts"], bundle: true, platform: "node", format: "esm", write: false });
const { remedy, serverCommand } = await import(`data:text/javascript;base64,${Buffer.from(built.outputFiles[0].text).toString("base64")}`);
const given = { setting: "", folders: ["/a", "/b"], trusted: true, platform: "linux", exists: (file) => file === "/b/.venv/bin/dlspec" };

test("a setting goes before all else", () => {
  assert.deepEqual(serverCommand({ ...given, setting: " /opt/dlspec " }), { command: "/opt/dlspec", args: ["lsp"] });
});

test("the first folder's environment that has it, in trusted folders alone", () => {
  assert.equal(serverCommand(given).command, "/b/.venv/bin/dlspec");
  assert.equal(serverCommand({ ...given, trusted: false }).command, "dlspec");
  assert.equal(serverCommand({ ...given, folders: [] }).command, "dlspec");
  const windows = { ...given, platform: "win32", folders: ["C:\\study"], exists: (file) => file === "C:\\study\\.venv\\Scripts\\dlspec.exe" };
  assert.equal(serverCommand(windows).command, "C:\\study\\.venv\\Scripts\\dlspec.exe");
});

test("where it can't be started, the message says what to do", () => {
  assert.match(remedy("dlspec"), /pip install 'dlspec\[lsp\]'/);
});
