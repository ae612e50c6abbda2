// The programs that a test starts, found when they are needed: who builds without them may.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

// Debian keeps haproxy where only root's PATH leads.
const folders = [...process.env.PATH.split(delimiter), "/usr/sbin"];

// The path of the first of these names that is installed.
export function programNamed(...names) {
  for (const name of names) {
    const found = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (found !== undefined) return found;
  }
  throw new Error(`${names[0]} is needed by this test and not installed: run ./dev setup`);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
