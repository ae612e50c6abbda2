// Stateful reconnect as the published client does it: the connection breaks and comes back without the application
// noticing. Method: a proxy cuts where the client cannot see it coming; what the application sees has to be whole.
import assert from 'node:assert/strict';
import test from 'node:test';

import { ChatClient, numbered, WebSocket } from './chat_client.js';
import { becomesTrue, startNodes } from './processes.js';
import { Proxy } from './proxy.js';

const soon = [0, 50, 200, 500, 1000, 1000, 1000];

async function setUp(t, ...flags) {
  const [node] = await startNodes(t, 1, ...flags);
  const proxy = await Proxy.before(t, node);
  const client = await ChatClient.connect(t, proxy.url, { stateful: true });
  await client.join('a');
  return { node, proxy, client };
}

test('the application does not notice: same id, nothing lost, nothing twice', async (t) => {
  const { node, proxy, client } = await setUp(t);
  const other = await ChatClient.connect(t, node.url);
  await other.join('a');
  const id = client.hub.connectionId;
  const mine = numbered('mine', 300);
  const theirs = numbered('theirs', 300);
  const answers = [];
  let cuts = 0;
  for (let i = 0; i < 300; ++i) {
    answers.push(client.send('a', mine[i]), other.send('a', theirs[i]));
    if (i % 10 === 9) await Promise.all(answers.splice(0, 4));
    if (i % 30 === 15) {
      // Sends are on their way in both directions.
      ++cuts;
      proxy.cut();
      // The library tries once to come back, so the next cut has to wait until it has.
      await Promise.all(answers.splice(0));
    }
  }
  await Promise.all(answers);
  await becomesTrue('all have arrived', () => client.messages.length >= 600 && other.messages.length >= 600);
  assert.deepEqual(client.messages, other.messages);
  assert.equal(new Set(client.texts('a')).size, 600);
  assert.equal(client.messages.length, 600);
  assert.deepEqual(client.texts('a').filter((text) => text.startsWith('mine')), mine, 'in the order of the calls');
  assert.equal(client.hub.connectionId, id);
  assert.equal(client.reconnectingCount, 0);
  assert.equal(client.closed, undefined);
  assert.ok((await node.metric('connections_resumed_total')) >= cuts);
});

test('a cut in the middle of a frame, in either direction, loses nothing', async (t) => {
  const { proxy, client } = await setUp(t);
  const expected = [];
  for (let round = 0; round < 20; ++round) {
    proxy.cutAfter(round % 2 === 0 ? 'toServer' : 'toClient', 40 + 61 * round);
    const texts = numbered(`r${round}`, 20);
    expected.push(...texts);
    await Promise.all(texts.map((text) => client.send('a', text)));
  }
  await becomesTrue('all have arrived', () => client.messages.length >= expected.length);
  assert.deepEqual(client.texts('a'), expected);
  assert.equal(client.reconnectingCount, 0);
  assert.ok(proxy.connectionCount > 15, `${proxy.connectionCount} connections`);
});

test('a Send that is on its way when the connection breaks is answered on the next one', async (t) => {
  const { node, proxy, client } = await setUp(t);
  const answers = numbered('m', 50).map((text) => client.send('a', text));
  await becomesTrue('the node has some of them', async () => (await node.metric('sends_total')) > 0);
  proxy.cut();
  const cursors = await Promise.all(answers);
  assert.equal(new Set(cursors).size, 50);
  await becomesTrue('all have arrived', () => client.messages.length >= 50);
  assert.deepEqual(client.messages.map((message) => message.cursor), cursors);
});

// Method: more than the buffers of both sides hold, so each of them depends on the other one's acks.
test('a long stream in both directions keeps its order across cuts', async (t) => {
  const { node, proxy, client } = await setUp(t);
  const other = await ChatClient.connect(t, node.url);
  const texts = numbered('m', 150).map((name) => `${name} ${'x'.repeat(2_000)}`);
  await other.join('b');
  await client.join('b');
  const sends = texts.flatMap((text, i) => [client.send('a', `c-${i}`, text), other.send('b', `o-${i}`, text)]);
  await becomesTrue('some have arrived', () => client.messages.length > 20);
  proxy.cut();
  await Promise.all(sends);
  await becomesTrue('all have arrived', () => client.messages.length >= 300);
  assert.deepEqual(client.texts('a'), texts);
  assert.deepEqual(client.texts('b'), texts);
  assert.equal(client.reconnectingCount, 0);
});

test('a client that comes back too late starts afresh with its cursor', async (t) => {
  const [node] = await startNodes(t, 1, '--reconnect-timeout', '200ms');
  const proxy = await Proxy.before(t, node);
  const client = await ChatClient.connect(t, proxy.url, { stateful: true, reconnect: soon });
  const writer = await ChatClient.connect(t, node.url);
  await client.join('a');
  const id = client.hub.connectionId;
  proxy.isRefusing = true;
  proxy.cut();
  await writer.send('a', 'm-1');
  await becomesTrue('the session is given up', async () => (await node.metric('sessions_waiting')) === 0
    && (await node.metric('connections')) === 1);
  proxy.isRefusing = false;
  await becomesTrue('it has come back', () => client.reconnectedCount === 1);
  await writer.send('a', 'm-2');
  await becomesTrue('both have arrived', () => client.messages.length >= 2);
  assert.deepEqual(client.texts('a'), ['m-1', 'm-2']);
  assert.notEqual(client.hub.connectionId, id);
});

test('a client of a killed node starts afresh at another one with its cursor', async (t) => {
  const [doomed, other] = await startNodes(t, 2);
  const client = await ChatClient.connect(t, doomed.url, { stateful: true, reconnect: soon, moveTo: other.url });
  const writer = await ChatClient.connect(t, other.url);
  await client.join('a');
  const expected = numbered('m', 100);
  for (const text of expected) {
    if (text === 'm-50') await doomed.kill('SIGKILL');
    await writer.sendSurely('a', text);
  }
  await becomesTrue('all have arrived', () => client.messages.length >= 100);
  assert.deepEqual(client.texts('a'), expected);
});

test('a node that shuts down does not wait for those who are away', async (t) => {
  const { node, proxy, client } = await setUp(t);
  proxy.isRefusing = true;
  proxy.cut();
  await becomesTrue('the node waits for it', async () => (await node.metric('sessions_waiting')) === 1);
  const started = Date.now();
  assert.equal(await node.kill('SIGTERM'), 0);
  assert.ok(Date.now() - started < 5_000);
  await becomesTrue('the client has given up', () => client.closed);
});

test('a second socket with the same id takes over', async (t) => {
  const { node, proxy, client } = await setUp(t);
  // As a client on another network path: the first socket looks alive to the node.
  const url = client.hub.connection.transport._webSocket.url.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${node.port}`);
  const before = proxy.connectionCount;
  const socket = new WebSocket(url);
  t.after(() => socket.terminate());
  const frames = [];
  socket.on('message', (frame) => frames.push(String(frame)));
  // Or the client was so quick that it took the session back before anything was written here.
  await becomesTrue('it is told where the node is', () => frames.length > 0 || proxy.connectionCount > before);
  if (frames.length > 0) assert.match(frames[0], /^\{"type":9,"sequenceId":\d+\}\u001e/);
  // The client notices the loss of its socket and takes the session back.
  await becomesTrue('the client has come back', () => proxy.connectionCount > before);
  await client.send('a', 'still here');
  await becomesTrue('the message has arrived', () => client.texts('a').includes('still here'));
  assert.equal(client.reconnectingCount, 0);
});
