// The conversation against a hub that the test plays: joins with cursors, retries with the same id,
// gaps.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Chat } from "../../../../reference-server/web/src/chat.js";
import { wrap } from "../../../../reference-server/web/src/envelope.js";
import { unsentMax } from "../../../../reference-server/web/src/outbox.js";
import { FakeHub, FakePauses, FakeScreen, settle } from "./fakes.js";

function scene() {
  const hub = new FakeHub();
  const screen = new FakeScreen();
  const pauses = new FakePauses();
  let count = 0;
  const newId = () => `m${++count}`;
  return { hub, screen, pauses, chat: new Chat({ hub, screen, wait: pauses.wait, newId }) };
}

async function joined(at = "log:1-5") {
  const all = scene();
  all.chat.enter("lobby");
  all.hub.take("Join").answer(at);
  await settle();
  return all;
}

async function lose({ hub, chat }) {
  hub.isOpen = false;
  for (const call of hub.calls.splice(0))
    call.fail("Invocation canceled due to the underlying connection being closed.");
  chat.onDisconnected();
  await settle();
}

async function regain({ hub, chat }) {
  hub.isOpen = true;
  chat.onConnected();
  await settle();
}

test("enters without a cursor first, with the newest one after a reconnect", async () => {
  const all = scene();
  all.chat.enter("lobby");
  const first = all.hub.take("Join");
  assert.deepEqual(first.values, ["lobby", null]);
  first.answer("log:1-5");
  await settle();
  await lose(all);
  await regain(all);
  const again = all.hub.take("Join");
  assert.deepEqual(again.values, ["lobby", "log:1-5"], "nothing was said: the one from the Join");
  again.answer("log:1-5");
  await settle();
  all.chat.onMessage("lobby", "log:1-6", "x", "hello");
  await lose(all);
  await regain(all);
  assert.deepEqual(all.hub.take("Join").values, ["lobby", "log:1-6"]);
});

test("an answer to Join does not turn the cursor back behind the messages that follow it", async () => {
  const all = scene();
  all.chat.enter("lobby");
  all.hub.take("Join").answer("log:1-5");
  all.chat.onMessage("lobby", "log:1-6", "x", "in the same frame");
  await settle();
  await lose(all);
  await regain(all);
  assert.deepEqual(all.hub.take("Join").values, ["lobby", "log:1-6"]);
});

test("a Join that may be tried again is, after a pause; a refused one is not", async () => {
  const all = scene();
  all.chat.enter("lobby");
  all.hub.take("Join").fail("retry: no log yet");
  await settle();
  await all.pauses.end();
  all.hub.take("Join").fail("refused: room contains control characters");
  await settle();
  assert.deepEqual(all.screen.rooms, [
    "lobby joining",
    "lobby joining no log yet",
    "lobby refused room contains control characters",
  ]);
  assert.deepEqual([all.hub.calls, all.pauses.pauses], [[], []]);
});

test("an own message is sending, in the log, then where the log has it", async () => {
  const { hub, screen, chat } = await joined();
  chat.say("ada", "hello");
  assert.deepEqual(screen.pending, ["m1 sending"]);
  const sent = hub.take("Send");
  assert.deepEqual(sent.values, ["lobby", "m1", wrap("ada", "hello")]);
  sent.answer("log:1-7");
  await settle();
  assert.deepEqual([screen.pending, screen.shown], [["m1 logged"], []]);
  chat.onMessage("lobby", "log:1-6", "other", "before it");
  chat.onMessage("lobby", "log:1-7", "m1", wrap("ada", "hello"));
  assert.deepEqual(screen.pending, []);
  assert.deepEqual(screen.shown, ["message: before it", "own message: hello"]);
});

test("a message is sent again with its id after retry and after a lost answer, the next one waits", async () => {
  const all = await joined();
  all.chat.say("ada", "one");
  all.chat.say("ada", "two");
  all.hub.take("Send").fail("retry: Redis does not answer");
  await settle();
  assert.deepEqual(all.screen.pending, ["m1 retrying Redis does not answer", "m2 sending"]);
  await all.pauses.end();
  assert.equal(all.hub.calls[0].values[1], "m1");
  await lose(all);
  assert.match(all.screen.pending[0], /^m1 retrying the connection was lost/);
  await all.pauses.end();
  assert.deepEqual(all.hub.calls, [], "nothing is sent without a connection");
  await regain(all);
  all.hub.take("Join").answer("log:1-5");
  await settle();
  const again = all.hub.take("Send");
  assert.deepEqual(again.values, ["lobby", "m1", wrap("ada", "one")]);
  again.answer("log:1-6");
  await settle();
  assert.equal(all.hub.take("Send").values[1], "m2");
});

test("a message whose answer was lost, but which comes back through the log, is not sent again", async () => {
  const all = await joined();
  all.chat.say("ada", "one");
  await lose(all);
  await all.pauses.end();
  await regain(all);
  all.hub.take("Join").answer("log:1-5");
  all.chat.onMessage("lobby", "log:1-6", "m1", wrap("ada", "one"));
  await settle();
  assert.deepEqual(
    [all.hub.calls, all.screen.pending, all.screen.shown],
    [[], [], ["own message: one"]],
  );
});

test("a refused message is shown with its reason and holds nothing up", async () => {
  const { hub, screen, chat } = await joined();
  chat.say("ada", "too long");
  chat.say("ada", "fine");
  hub.take("Send").fail("refused: text is too long");
  await settle();
  assert.deepEqual([screen.shown, screen.pending], [["own refused: too long"], ["m2 sending"]]);
  assert.equal(hub.take("Send").values[1], "m2");
});

test("too many unsent messages are not taken", async () => {
  const { chat } = await joined();
  for (let count = 0; count < unsentMax; count += 1) assert.equal(chat.say("ada", "x"), true);
  assert.equal(chat.say("ada", "x"), false);
});

test("a reset shows a gap, behind the own messages that went into the log before it", async () => {
  const { hub, screen, chat } = await joined();
  chat.say("ada", "mine");
  hub.take("Send").answer("log:1-6");
  await settle();
  chat.onReset("lobby", "the cursor belongs to another log");
  assert.deepEqual(screen.shown, ["own message: mine", "gap: the cursor belongs to another log"]);
  assert.deepEqual(screen.pending, []);
});

test("back in a room it goes on with that room's cursor, and what was said there is kept", async () => {
  const { hub, screen, chat } = await joined();
  chat.onMessage("lobby", "log:1-6", "x", "here");
  chat.enter("attic");
  assert.deepEqual(hub.take("Leave").values, ["lobby"]);
  hub.take("Join").answer("log:1-9");
  await settle();
  chat.onMessage("lobby", "log:1-7", "y", "was on its way");
  assert.deepEqual(screen.shown, ["message: here"], "of the present room only");
  chat.enter("lobby");
  hub.take("Leave");
  assert.deepEqual(hub.take("Join").values, ["lobby", "log:1-7"]);
  assert.deepEqual(
    chat.room.entries.map(({ text }) => text),
    ["here", "was on its way"],
  );
});

test("an answer for a room that was left meanwhile changes nothing", async () => {
  const all = scene();
  all.chat.enter("lobby");
  const late = all.hub.take("Join");
  all.chat.enter("attic");
  late.fail("retry: superseded");
  await settle();
  assert.deepEqual(all.screen.rooms, ["lobby joining", "attic joining"]);
});
