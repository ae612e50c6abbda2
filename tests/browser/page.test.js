// The chat page by itself, on one node: hostile text, refusals, gaps, rooms, keyboard, a narrow
// screen, what confines it.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { ChatPage, startBrowser } from "./support/browser.js";
import { eventually, Stage } from "./support/processes.js";
import { ask, ChatNode, Redis } from "./support/servers.js";

const flags = ["--message-bytes-max", "2KiB"];

const stage = new Stage();
let redis;
let node;
let browser;
const openPages = [];
let roomCount = 0;
let room;

before(async () => {
  redis = await Redis.start(stage);
  node = await ChatNode.start(stage, redis, { name: "node-1", flags });
  browser = await startBrowser(stage);
});

beforeEach(() => (room = `room-${++roomCount}`));

afterEach(async () => {
  for (const page of openPages.splice(0)) await page.close();
});

after(() => stage.end());

async function open(name, options = {}) {
  const page = await ChatPage.open(browser, node.url, { room, name, ...options });
  openPages.push(page);
  return page;
}

test("nothing that people write becomes markup, a link or an effect on its surroundings", async () => {
  const hostile = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(2)</script>",
    "<svg/onload=alert(3)>",
    "javascript:alert(4)",
    "</p></li><iframe srcdoc='<script>alert(5)</script>'></iframe>",
    "\u{202e}nimda si siht\u{202c} \u{2067}abc",
    "&lt;b&gt; ${7*7} {{7*7}}",
    `{"name":"<img src=x onerror=alert(6)>","text":"nested"}`,
  ];
  const ada = await open("<img src=x onerror=alert(0)>");
  const bob = await open("bob");
  for (const text of hostile) await ada.say(text);
  await bob.shows(...hostile);
  assert.deepEqual(await bob.lines(), hostile, "shown letter by letter");
  assert.equal(
    await bob.tab.locator("#log .author").first().textContent(),
    "<img src=x onerror=alert(0)>",
  );
  const made = "img, script, svg, iframe, a, b, style, link, object, embed";
  assert.equal(await bob.tab.locator("#log").locator(made).count(), 0);
  const directions = await bob.tab
    .locator("#log .text")
    .evaluateAll((all) => all.map((each) => getComputedStyle(each).unicodeBidi));
  assert.deepEqual(
    new Set(directions),
    new Set(["isolate"]),
    "a change of direction ends with its text",
  );
  assert.deepEqual([ada.problems, bob.problems], [[], []]);
});

test("a message that no page has made is shown unsigned", async () => {
  const ada = await open("ada");
  const tab = await browser.newPage();
  await tab.goto(`${node.url}/healthz`);
  await tab.evaluate(sendRaw, { room, texts: ["plain", '{"name":7}'] });
  await ada.shows("plain", '{"name":7}');
  assert.deepEqual(await ada.tab.locator("#log .author.unsigned").count(), 2);
  await tab.close();
});

// In the browser: a client of a few lines that sends texts as they are.
function sendRaw({ room: where, texts }) {
  return new Promise((resolve, reject) => {
    const end = "\u001e";
    const socket = new WebSocket(`ws://${location.host}/chat`);
    socket.onerror = reject;
    socket.onopen = () => socket.send(`{"protocol":"json","version":1}${end}`);
    let open = texts.length;
    socket.onmessage = ({ data }) => {
      for (const record of data
        .split(end)
        .filter((each) => each !== "")
        .map(JSON.parse)) {
        if (record.type === undefined) {
          for (const [number, text] of texts.entries()) {
            const call = {
              type: 1,
              invocationId: `${number}`,
              target: "Send",
              arguments: [where, `raw-${number}`, text],
            };
            socket.send(JSON.stringify(call) + end);
          }
        } else if (record.type === 3 && --open === 0) {
          resolve();
        }
      }
    };
  });
}

test("a refused message stays, with the node's reason, and what follows it goes through", async () => {
  const ada = await open("ada");
  await ada.say("x".repeat(3_000));
  await ada.say("short enough");
  await ada.shows("short enough");
  const refused = ada.tab.locator("#log [data-state=refused]");
  assert.match(await refused.locator(".note").textContent(), /^refused: .*2048/);
  assert.deepEqual(await ada.pending(), []);
});

test("a room that the node does not accept is refused with its reason", async () => {
  const ada = await open("ada");
  await ada.tab.evaluate(() => history.replaceState(null, "", "?name=ada&room=bad%07room"));
  await ada.tab.reload();
  const state = ada.tab.locator("#room-state[data-state=refused]");
  await state.waitFor();
  assert.match(await state.textContent(), /cannot be entered: .*control characters/);
});

test("back in a room one gets what was said there meanwhile", async () => {
  const ada = await open("ada");
  const bob = await open("bob");
  await bob.say("while ada is here");
  await ada.shows("while ada is here");
  await ada.tab.fill("#place [name=room]", "elsewhere");
  await ada.tab.press("#place [name=room]", "Enter");
  await ada.isIn("elsewhere");
  assert.match(ada.tab.url(), /room=elsewhere&name=ada/);
  assert.deepEqual(await ada.lines(), []);
  await bob.say("while ada is away");
  await bob.shows("while ada is away");
  await ada.tab.fill("#place [name=room]", room);
  await ada.tab.press("#place [name=room]", "Enter");
  await ada.shows("while ada is away");
  assert.deepEqual(await ada.lines(), ["while ada is here", "while ada is away"]);
});

test("the page keeps the newest 500 messages", async () => {
  const ada = await open("ada");
  const tab = await browser.newPage();
  await tab.goto(`${node.url}/healthz`);
  await tab.evaluate(sendRaw, {
    room,
    texts: Array.from({ length: 520 }, (_, number) => `message ${number}`),
  });
  await ada.shows("message 519");
  const lines = await ada.lines();
  assert.deepEqual([lines.length, lines[0]], [500, "message 20"]);
  await tab.close();
});

test("works with the keyboard alone, and says what its parts are", async () => {
  const ada = await open("ada");
  await ada.tab.keyboard.type("typed");
  await ada.tab.keyboard.press("Shift+Enter");
  await ada.tab.keyboard.type("in two lines");
  await ada.tab.keyboard.press("Enter");
  await ada.shows("typed\nin two lines");
  await ada.tab.getByLabel("Name").waitFor();
  await ada.tab.getByLabel("Room").waitFor();
  await ada.tab.getByRole("textbox", { name: "Message" }).waitFor();
  await ada.tab.getByRole("log", { name: "Messages" }).waitFor();
  await ada.tab.getByRole("button", { name: "Send" }).waitFor();
  assert.equal(await ada.tab.getAttribute("#log", "aria-live"), "polite");
});

test("fits a screen of 360 pixels", async () => {
  const ada = await open("ada", { viewport: { width: 360, height: 640 } });
  await ada.say("W".repeat(300));
  await ada.shows("W".repeat(300));
  const sizes = () => ({
    wide: document.documentElement.scrollWidth,
    high: document.documentElement.scrollHeight,
  });
  assert.deepEqual(await ada.tab.evaluate(sizes), { wide: 360, high: 640 });
  const inner = await ada.tab.evaluate(() => {
    const main = document.querySelector("main");
    return main.scrollWidth - main.clientWidth;
  });
  assert.equal(inner, 0);
});

test("asks no other host, and comes with what confines it", async () => {
  const ada = await open("ada");
  const hosts = await ada.tab.evaluate(() =>
    performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin),
  );
  assert.deepEqual(new Set(hosts), new Set([node.url]));
  const markup = await ada.tab.evaluate(() => {
    try {
      document.body.innerHTML = "<p>";
      return "taken";
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(markup, "TypeError", "the browser itself refuses strings as HTML");
  const page = await ask(`${node.url}/`);
  assert.match(
    page.headers["content-security-policy"],
    /script-src 'self';.*frame-ancestors 'none'/,
  );
  const again = await ask(`${node.url}/`, { "If-None-Match": page.headers.etag });
  assert.deepEqual(
    [again.status, again.body, again.headers["content-length"]],
    [304, "", undefined],
  );
});

// Last: it ends the node. The new one serves another log, as after a loss of everything.
test("a node that goes is waited for, and a log that is another one shows as a gap", async () => {
  const ada = await open("ada");
  await ada.say("before");
  await ada.shows("before");
  await node.kill();
  await eventually("a countdown", async () => {
    const shown = await ada.tab.locator("#connection .countdown").textContent();
    return (await ada.connection()) === "disconnected" && /next try in \d+ s/.test(shown);
  });
  await ada.say("written meanwhile");
  assert.deepEqual(await ada.pending(), ["sending written meanwhile"]);
  const { port } = node;
  node = await ChatNode.start(stage, redis, { name: "node-2", port, app: "other" });
  await ada.shows("written meanwhile");
  assert.deepEqual(await ada.lines(), ["before", "gap", "written meanwhile"]);
  assert.match(await ada.tab.locator("#log .gap .reason").textContent(), /another log/);
  assert.equal(await ada.node(), "node-2");
  assert.deepEqual(ada.problems, []);
});
