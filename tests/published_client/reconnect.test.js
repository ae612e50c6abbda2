// Losing a connection without stateful reconnect: the library connects anew, the application joins with its cursor.
import assert from 'node:assert/strict';
import test from 'node:test';

import { ChatClient, numbered } from './chat_client.js';
import { becomesTrue, startNodes } from './processes.js';
import { Proxy } from './proxy.js';

const soon = [0, 50, 200, 500, 1000, 1000, 1000];

test('a client that is cut off again and again misses nothing', async (t) => {
  const [node] = await startNodes(t, 1);
  const proxy = await Proxy.before(t, node);
  const reader = await ChatClient.connect(t, proxy.url, { reconnect: soon });
  const writer = await ChatClient.connect(t, node.url);
  await reader.join('a');
  const first_id = reader.hub.connectionId;
  const expected = numbered('m', 300);
  let cuts = 0;
  for (const text of expected) {
    await writer.send('a', text);
    if (reader.reconnectedCount === cuts && reader.messages.length >= 40 * (cuts + 1)) {
      ++cuts;
      proxy.cut();
    }
  }
  await becomesTrue('it has come back after each cut', () => reader.reconnectedCount === cuts);
  await becomesTrue('all have arrived', () => reader.messages.length >= expected.length);
  assert.deepEqual(reader.texts('a'), expected);
  assert.deepEqual(reader.resets, []);
  assert.ok(cuts >= 2, `${cuts} cuts`);
  assert.notEqual(reader.hub.connectionId, first_id);
});

// Method: both clients are on the node that is killed; they go on at the other one, the reader with its cursor, the
// writer with the messages that it has no answer for.
test('clients of a killed node go on at another one without loss or repetition', async (t) => {
  const [doomed, other] = await startNodes(t, 2);
  const options = { reconnect: soon, moveTo: other.url };
  const reader = await ChatClient.connect(t, doomed.url, options);
  const writer = await ChatClient.connect(t, doomed.url, options);
  await reader.join('a');
  await writer.join('a');
  const expected = numbered('m', 400);
  const sending = (async () => {
    for (const text of expected) await writer.sendSurely('a', text);
  })();
  await becomesTrue('half of them have arrived', () => reader.messages.length >= 200);
  await doomed.kill('SIGKILL');
  await sending;
  await becomesTrue('all have arrived', () => reader.messages.length >= 400 && writer.messages.length >= 400);
  assert.deepEqual(reader.texts('a'), expected);
  assert.deepEqual(writer.texts('a'), expected);
  assert.equal(reader.reconnectedCount, 1);
});

test('a node that shuts down sends its clients on', async (t) => {
  const [leaving, other] = await startNodes(t, 2);
  for (const stateful of [false, true]) {
    const node = stateful ? other : leaving;
    const goal = stateful ? (await startNodes(t, 1))[0] : other;
    const reader = await ChatClient.connect(t, node.url, { stateful, reconnect: soon, moveTo: goal.url });
    await reader.join('a');
    await reader.send('a', `m-1-${stateful}`);
    await becomesTrue('the first has arrived', () => reader.messages.length === 1);
    assert.equal(await node.kill('SIGTERM'), 0);
    await becomesTrue('it has come back', () => reader.reconnectedCount === 1);
    await reader.send('a', `m-2-${stateful}`);
    await becomesTrue('the second has arrived', () => reader.messages.length === 2);
  }
});

test('a client that is cut off in the middle of its frame leaves nothing behind', async (t) => {
  const [node] = await startNodes(t, 1);
  const proxy = await Proxy.before(t, node);
  const victim = await ChatClient.connect(t, proxy.url);
  const witness = await ChatClient.connect(t, node.url);
  await victim.join('a');
  await witness.join('a');
  proxy.cutAfter('toServer', 500);
  await assert.rejects(victim.send('a', 'torn', 'x'.repeat(1000)));
  await becomesTrue('the node has noticed', async () => (await node.metric('connections')) === 1);
  await witness.send('a', 'whole');
  await becomesTrue('the other one goes on', () => witness.messages.length > 0);
  assert.deepEqual(witness.texts('a'), ['whole']);
});
