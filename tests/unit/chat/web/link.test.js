// The connection that never gives up, and the search for the node at its other end. The published
// client is played by the test.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Link } from "../../../../reference-server/web/src/link.js";
import { findNode } from "../../../../reference-server/web/src/node_search.js";
import { FakePauses, settle } from "./fakes.js";

class FakeConnection {
  state = "Disconnected";
  starts = [];
  onreconnected(callback) {
    this.reconnected = callback;
  }
  onclose(callback) {
    this.closed = callback;
  }
  start() {
    return new Promise((resolve, reject) => this.starts.push({ resolve, reject }));
  }
  open() {
    this.state = "Connected";
    this.starts.shift().resolve();
    return settle();
  }
  refuse() {
    this.starts.shift().reject(new Error("no"));
    return settle();
  }
}

function scene() {
  const states = [];
  const pauses = new FakePauses();
  const connection = new FakeConnection();
  let policy = null;
  const build = (given) => {
    policy = given;
    return connection;
  };
  const onState = (state, untilMs) =>
    states.push(untilMs === undefined ? state : `${state} for ${untilMs > 1_000}`);
  const link = new Link({ build, wait: pauses.wait, now: () => 0, onState });
  return { link, states, pauses, connection, policy };
}

test("the first start is tried until it succeeds, with growing pauses", async () => {
  const { link, states, pauses, connection } = scene();
  void link.start();
  for (let tries = 0; tries < 4; tries += 1) {
    await connection.refuse();
    await pauses.end();
  }
  await connection.open();
  assert.deepEqual(states.filter((state) => !state.startsWith("disconnected")).slice(0, 2), [
    "connecting",
    "reconnecting",
  ]);
  assert.ok(states.includes("disconnected for true"), `a long pause has a countdown: ${states}`);
  assert.equal(states.at(-1), "connected");
});

test("the client's own reconnects never end, and a pause that is over is one no more", async () => {
  const { link, states, pauses, connection, policy } = scene();
  void link.start();
  await connection.open();
  connection.state = "Reconnecting";
  for (const previousRetryCount of [0, 1_000_000]) {
    assert.ok(policy.nextRetryDelayInMilliseconds({ previousRetryCount }) <= 10_000);
  }
  await pauses.end();
  connection.state = "Connected";
  connection.reconnected();
  assert.deepEqual(states, [
    "connecting",
    "connected",
    "reconnecting",
    "disconnected for true",
    "reconnecting",
    "connected",
  ]);
});

test("a connection that the server closed for good is opened anew", async () => {
  const { link, states, pauses, connection } = scene();
  void link.start();
  await connection.open();
  connection.state = "Disconnected";
  connection.closed();
  assert.equal(connection.starts.length, 0, "not without a pause");
  await pauses.end();
  await connection.open();
  assert.deepEqual(states, ["connecting", "connected", "reconnecting", "connected"]);
});

test("the node that has the socket is found among others and through failures", async () => {
  const right = { node: "b", serves_page: true };
  const answers = [{ node: "a", serves_page: false }, new Error("503"), right];
  const asked = [];
  const ask = async (id) => {
    asked.push(id);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const found = await findNode("id", { ask, wait: async () => {}, isWanted: () => true });
  assert.deepEqual([found, asked], [right, ["id", "id", "id"]]);
});

test("the search ends: nobody says yes, or the connection is another one", async () => {
  let count = 0;
  const ask = async () => ({ serves_page: false, count: ++count });
  assert.equal(await findNode("id", { ask, wait: async () => {}, isWanted: () => true }), null);
  assert.ok(count > 1 && count < 100);
  const late = async () => ({ node: "b", serves_page: true });
  let isWanted = true;
  const search = findNode("id", { ask: late, wait: async () => {}, isWanted: () => isWanted });
  isWanted = false;
  assert.equal(await search, null);
});
