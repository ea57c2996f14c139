/** Which command starts the server. Nothing here needs the editor. */

import * as path from "node:path";

export interface Given {
  /** What the user's settings say; empty where they say nothing. */
  setting: string;
  /** The folders that are open. */
  folders: readonly string[];
  /** Whether programs of these folders may be started. */
  trusted: boolean;
  platform: NodeJS.Platform;
  exists: (file: string) => boolean;
}

export interface Command {
  command: string;
  args: string[];
}

/** The command of the settings, else that of the first folder with a `.venv` that has it, in trusted folders, else the one on the path. */
export function serverCommand(given: Given): Command {
  const args = ["lsp"];
  if (given.setting.trim()) return { command: given.setting.trim(), args };
  const place = given.platform === "win32" ? path.win32.join(".venv", "Scripts", "dlspec.exe") : path.posix.join(".venv", "bin", "dlspec");
  const join = given.platform === "win32" ? path.win32.join : path.posix.join;
  const found = given.trusted ? given.folders.map((folder) => join(folder, place)).find(given.exists) : undefined;
  return { command: found ?? "dlspec", args };
}

/** What to do where the server can't be started. */
export function remedy(command: string): string {
  return `dlspec: '${command} lsp' could not be started. Install it by \`pip install 'dlspec[lsp]'\`, or name the command in the setting \`dlspec.command\`.`;
}
