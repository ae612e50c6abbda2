// The tutorial that this project grew from, in two real browser windows: two nodes behind a load
// balancer, one Redis with a password. Each window shows the other's messages, each once and in the
// same order, before, during and after Redis is killed, after the node of one window is killed, and
// after both. Nothing is filtered in the page: what repeats would show.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { ChatPage, startBrowser } from "./support/browser.js";
import { eventually, Stage } from "./support/processes.js";
import { ask, ChatNode, Redis, startLoadBalancer } from "./support/servers.js";

const stage = new Stage();
let redis;
let nodes;
let url;
let ada;
let bob;
const said = [];

before(async () => {
  redis = await Redis.start(stage);
  nodes = await Promise.all(
    ["node-1", "node-2"].map((name) => ChatNode.start(stage, redis, { name })),
  );
  url = await startLoadBalancer(stage, nodes);
  const browser = await startBrowser(stage);
  ada = await ChatPage.open(browser, url, { name: "ada" });
  bob = await ChatPage.open(browser, url, { name: "bob" });
});

after(() => stage.end());

async function say(page, text) {
  said.push(text);
  await page.say(text);
}

async function bothShowAllOnceInOneOrder() {
  await Promise.all([ada.shows(...said), bob.shows(...said)]);
  const order = await ada.lines();
  assert.deepEqual([...order].sort(), [...said].sort(), "each once, and no gap");
  assert.deepEqual(await bob.lines(), order, "one order");
}

test("the two windows are on different nodes", async () => {
  const names = [await ada.node(), await bob.node()];
  assert.deepEqual(names.sort(), ["node-1", "node-2"]);
});

test("each window shows the other's messages", async () => {
  await say(ada, "before, from ada");
  await say(bob, "before, from bob");
  await bothShowAllOnceInOneOrder();
  const note = ada.tab.locator("#log .own .note");
  assert.equal(await note.textContent(), "in the log");
  assert.equal(await bob.tab.locator("#log .message:not(.own) .author").textContent(), "ada");
});

test("what is said while Redis is dead is shown as sending, and delivered when it is back", async () => {
  await redis.kill();
  for (const node of nodes)
    await eventually(
      `${node.name} notices`,
      async () => (await ask(`${node.url}/readyz`)).status === 503,
    );
  await say(ada, "during, from ada");
  await say(bob, "during, from bob");
  assert.deepEqual(await ada.pending(), ["sending during, from ada"]);
  assert.deepEqual(await bob.pending(), ["sending during, from bob"]);
  assert.equal(
    (await ada.lines()).length + (await bob.lines()).length,
    4,
    "nobody sees it before it is in the log",
  );
  assert.deepEqual([await ada.connection(), await bob.connection()], ["connected", "connected"]);
  await redis.restart();
  await bothShowAllOnceInOneOrder();
  assert.deepEqual([await ada.pending(), await bob.pending()], [[], []]);
});

test("after the restart it goes on as before", async () => {
  await say(bob, "after, from bob");
  await say(ada, "after, from ada");
  await bothShowAllOnceInOneOrder();
});

test("a window whose node is killed goes on at the other node and has missed nothing", async () => {
  const lost = await ada.node();
  const left = await bob.node();
  await nodeNamed(lost).kill();
  await say(bob, "while ada is away");
  await say(ada, "written without a connection");
  await isAt(ada, left);
  await say(bob, "ada is back");
  await bothShowAllOnceInOneOrder();
  assert.equal(await bob.node(), left);
  await revive(lost);
});

// The node has taken the message and cannot have told anybody: only the window still has it, and
// sends it again under its id to a node that has never heard of it.
test("a message on its way when both its node and Redis die arrives, once", async () => {
  const both = await ada.node();
  await redis.kill();
  await say(ada, "on its way");
  await eventually("on its way", async () => (await ada.pending()).includes("sending on its way"));
  await nodeNamed(both).kill();
  await redis.restart();
  const other = nodes.find(({ name }) => name !== both).name;
  await Promise.all([isAt(ada, other), isAt(bob, other)]);
  await bothShowAllOnceInOneOrder();
  assert.deepEqual([ada.problems, bob.problems], [[], []]);
});

function nodeNamed(wanted) {
  return nodes.find(({ name }) => name === wanted);
}

// A new process at the old place, for the load balancer to find.
async function revive(name) {
  const { port } = nodeNamed(name);
  nodes = nodes.filter((each) => each.name !== name);
  nodes.push(await ChatNode.start(stage, redis, { name, port }));
  await eventually(`${name} behind the load balancer`, async () => {
    const answer = await ask(`${url}/node`);
    return answer.status === 200 && JSON.parse(answer.body).node === name;
  });
}

function isAt(page, name) {
  return eventually(
    `a page at ${name}`,
    async () => (await page.connection()) === "connected" && (await page.node()) === name,
  );
}
