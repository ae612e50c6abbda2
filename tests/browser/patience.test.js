// Outages that outlast the patience of a node: it answers "retry: ...", and the page keeps trying.
// Method: a real Redis is dead until the page has said that it tries again.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { ChatPage, startBrowser } from "./support/browser.js";
import { eventually, Stage } from "./support/processes.js";
import { ChatNode, Redis } from "./support/servers.js";

let stage;
let redis;

beforeEach(async () => {
  stage = new Stage();
  redis = await Redis.start(stage);
});

afterEach(() => stage.end());

test("a message that a node gives back is sent again until it is in the log, once", async () => {
  const node = await ChatNode.start(stage, redis, { name: "node-1" });
  const ada = await ChatPage.open(await startBrowser(stage), node.url, { name: "ada" });
  await redis.kill();
  await ada.say("first");
  await ada.say("second");
  const isRetried = async () => (await ada.pending()).join() === "retrying first,sending second";
  await eventually("the node gives the first message back", isRetried, 30_000);
  const note = await ada.tab.locator("#pending .note").first().textContent();
  assert.match(note, /^retrying: ./);
  await redis.restart();
  await ada.shows("first", "second");
  assert.deepEqual(await ada.lines(), ["first", "second"]);
});

test("a room is entered once the node has reached Redis", async () => {
  await redis.kill();
  const node = await ChatNode.launch(stage, redis, { name: "node-1" });
  const browser = await startBrowser(stage);
  const ada = await ChatPage.open(browser, node.url, { name: "ada", isEntered: false });
  const state = ada.tab.locator("#room-state[data-state=joining]");
  const saysWhy = async () =>
    /^Entering lobby: .*log.* Trying on\.$/.test(await state.textContent());
  await eventually("the page says why it waits", saysWhy);
  await ada.say("written before");
  await redis.restart();
  await ada.isIn("lobby");
  await ada.shows("written before");
  assert.deepEqual(await ada.lines(), ["written before"]);
});
