// Child processes of a test: real programs on free loopback ports, ended by their handles, and by
// the kernel when the test process itself dies.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const pollIntervalMs = 20;

// Waits until `condition()` yields something that counts as true, and returns that; `what` names
// what was missing.
export async function eventually(what, condition, limitMs = 15_000) {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`after ${limitMs} ms still missing: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
  }
}

// Nobody listens there now; another process may be faster, then the server says so and the test
// fails.
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

export class Child {
  output = "";
  #process;
  #ended;

  constructor(name, command, environment = {}) {
    this.name = name;
    // setpriv: a test that was killed leaves nothing behind.
    this.#process = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...command], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, ...environment },
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    }
    this.#ended = new Promise((resolve) => {
      this.#process.on("error", (error) => resolve((this.output += `\n${error.message}`)));
      this.#process.on("exit", resolve);
    });
  }

  get isRunning() {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  // Until it says or answers something; fails at once when it has ended.
  async becomes(what, condition) {
    return eventually(`${this.name}: ${what}`, () => {
      if (!this.isRunning) throw new Error(`${this.name} has ended:\n${this.output}`);
      return condition();
    });
  }

  async kill() {
    if (this.isRunning) this.#process.kill("SIGKILL");
    await this.#ended;
  }
}

// A folder that nobody else can read, and what is to be undone when the test is over, last things
// first.
export class Stage {
  directory = mkdtempSync(join(tmpdir(), "ordeal-browser-"));
  #endings = [() => rmSync(this.directory, { recursive: true, force: true })];

  atEnd(action) {
    this.#endings.push(action);
  }

  async end() {
    let failure = null;
    for (const action of this.#endings.reverse()) {
      try {
        await action();
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== null) throw failure;
  }
}
