/** Starts `dlspec lsp` for the YAML files of a window. Files without a key `dlspec` are left alone by the server. */

import { existsSync } from "node:fs";
import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/node";
import { remedy, serverCommand } from "./command";

let client: LanguageClient | undefined;

async function start(): Promise<void> {
  const server = serverCommand({
    setting: vscode.workspace.getConfiguration("dlspec").get<string>("command", ""),
    folders: (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === "file").map((folder) => folder.uri.fsPath),
    trusted: vscode.workspace.isTrusted,
    platform: process.platform,
    exists: existsSync,
  });
  client = new LanguageClient("dlspec", "dlspec", server, { documentSelector: [{ language: "yaml" }] });
  try {
    await client.start();
  } catch {
    client = undefined;
    void vscode.window.showErrorMessage(remedy(server.command));
  }
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function restart(): Promise<void> {
  await stop();
  await start();
}

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  context.subscriptions.push(
    vscode.commands.registerCommand("dlspec.restart", restart),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration((event) => (event.affectsConfiguration("dlspec.command") ? restart() : undefined)),
  );
  await start();
}

export const deactivate = stop;
