// A headless Chromium, and the chat page as a person uses it: what is written, what is shown.
import { createRequire } from "node:module";
import { join } from "node:path";

import { eventually } from "./processes.js";
import { programNamed } from "./programs.js";

const { chromium } = createRequire(join(process.env.ORDEAL_BROWSER_MODULES, "package.json"))(
  "playwright-core",
);

const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
];
quiet.push("--disable-component-update", "--disable-sync");

// Playwright gives it a new profile, and takes that away again.
export async function startBrowser(stage) {
  const executablePath = programNamed("chromium", "chromium-browser", "google-chrome");
  const browser = await chromium.launch({ executablePath, args: quiet, headless: true });
  stage.atEnd(() => browser.close());
  return browser;
}

export class ChatPage {
  problems = []; // what the browser complained of

  // A profile of its own, as if on another machine.
  static async open(browser, url, { room = "lobby", name, isEntered = true, ...options } = {}) {
    const page = new ChatPage();
    page.context = await browser.newContext({ viewport: { width: 900, height: 640 }, ...options });
    page.tab = await page.context.newPage();
    page.tab.on("pageerror", (error) => page.problems.push(`error: ${error.message}`));
    page.tab.on("dialog", (dialog) => {
      page.problems.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.tab.on("console", (message) => {
      if (/Content Security Policy|TrustedHTML|Trusted Type/i.test(message.text()))
        page.problems.push(message.text());
    });
    await page.tab.goto(`${url}/?${new URLSearchParams({ room, name })}`);
    if (isEntered) await page.isIn(room);
    return page;
  }

  close() {
    return this.context.close();
  }

  async isIn(room) {
    await this.tab.waitForFunction((title) => document.title.startsWith(title), `${room} · `);
    await this.tab.waitForSelector("#room-state[data-state=joined]", { state: "attached" });
  }

  async say(text) {
    await this.tab.fill("#text", text);
    await this.tab.press("#text", "Enter");
  }

  connection() {
    return this.tab.getAttribute("#connection", "data-state");
  }

  // The name of the node, once the page knows it.
  async node() {
    const name = this.tab.locator("#node .name");
    await name.waitFor({ state: "visible" });
    return name.textContent();
  }

  // What the room's log shows, in its order; gaps as "gap".
  lines() {
    return this.tab
      .locator("#log > li")
      .evaluateAll((items) =>
        items.map((item) =>
          item.className === "gap" ? "gap" : item.querySelector(".text").textContent,
        ),
      );
  }

  // One's own messages on their way: "state text".
  pending() {
    return this.tab
      .locator("#pending > li")
      .evaluateAll((items) =>
        items.map((item) => `${item.dataset.state} ${item.querySelector(".text").textContent}`),
      );
  }

  async shows(...texts) {
    const missing = async () => {
      const lines = await this.lines();
      return texts.filter((text) => !lines.includes(text));
    };
    await eventually(
      `on the page: ${texts.join(", ")}`,
      async () => (await missing()).length === 0,
    );
  }
}
