// Calls and their answers through the published client: what works, and what is refused in words.
import assert from 'node:assert/strict';
import test from 'node:test';

import { ChatClient, numbered, signalr, WebSocket } from './chat_client.js';
import { becomesTrue, startNodes } from './processes.js';

test('a message comes back with the cursor that its Send was answered with', async (t) => {
  const [node] = await startNodes(t, 1);
  for (const options of [{}, { stateful: true }, { skipNegotiation: true }]) {
    const client = await ChatClient.connect(t, node.url, options);
    const joined = await client.join('a');
    const cursor = await client.send('a', `id-${JSON.stringify(options)}`, 'hello \u001e "wörld" \u{1F600}');
    assert.notEqual(cursor, joined);
    await becomesTrue('the message arrives', () => client.messages.length === 1);
    assert.deepEqual(client.messages[0], {
      room: 'a', cursor, id: `id-${JSON.stringify(options)}`, text: 'hello \u001e "wörld" \u{1F600}',
    });
    await client.hub.invoke('Leave', 'a');
  }
});

test('two clients on two nodes see 1000 messages in one order', async (t) => {
  const nodes = await startNodes(t, 2);
  const clients = await Promise.all(nodes.map((node) => ChatClient.connect(t, node.url)));
  for (const client of clients) await client.join('a');
  const names = ['one', 'two'];
  await Promise.all(clients.flatMap((client, i) => numbered(names[i], 500).map((text) => client.send('a', text))));
  for (const client of clients) await becomesTrue('all have arrived', () => client.messages.length >= 1000);
  assert.deepEqual(clients[0].messages, clients[1].messages);
  for (const name of names) {
    const own = clients[0].texts('a').filter((text) => text.startsWith(name));
    assert.deepEqual(own, numbered(name, 500), 'in the order of the calls');
  }
});

test('what is wrong with a call is its answer, and the connection goes on', async (t) => {
  const [node] = await startNodes(t, 1, '--rooms-per-client-max', '2', '--message-bytes-max', '1KiB',
    '--room-name-bytes-max', '10');
  for (const stateful of [false, true]) {
    const client = await ChatClient.connect(t, node.url, { stateful });
    const refusals = [
      [['Shout'], /refused: unknown method/],
      [['Join', 7, null], /refused: room must be a string/],
      [['Join', 'a'], /refused: Join takes \(room, cursor or null\)/],
      [['Join', 'a', 7], /refused: cursor must be a string or null/],
      [['Join', 'longer than ten', null], /refused: room has 15 bytes, at most 10 are allowed/],
      [['Send', 'a', 'id'], /refused: Send takes \(room, clientMessageId, text\)/],
      [['Send', 'a', '', 'x'], /refused: clientMessageId is empty/],
      [['Send', 'a', 'id', { text: 'x' }], /refused: text must be a string/],
      [['Send', 'a', 'id', 'half an emoji: \ud83d'], /refused: half of a surrogate pair/],
      [['Send', 'a', 'id', 'x'.repeat(1025)], /refused: text has 1025 bytes, at most 1024 are allowed/],
      [['Leave', null], /refused: room must be a string/],
    ];
    for (const [call, expected] of refusals) await assert.rejects(client.hub.invoke(...call), expected, `${call}`);
    await client.join('a');
    await client.join('b');
    await assert.rejects(client.join('c'), /refused: a client may be in 2 rooms at most/);
    await client.send('a', `id-${stateful}`, 'x'.repeat(1024));
    await becomesTrue('the connection goes on', () => client.messages.length === 1);
  }
});

test('streams are refused, and the connection goes on', async (t) => {
  const [node] = await startNodes(t, 1);
  const client = await ChatClient.connect(t, node.url);
  const ended = new Promise((resolve) => {
    client.hub.stream('Send', 'a', 'id', 'x').subscribe({ next: () => {}, complete: () => resolve('complete'), error: resolve });
  });
  assert.match((await ended).message, /refused: this hub has no streaming methods/);
  const upload = new signalr.Subject();
  const call = client.hub.invoke('Send', 'a', 'id', upload);
  upload.next('x');
  upload.complete();
  await assert.rejects(call, /refused: this hub has no streaming methods/);
  const given_up = client.hub.stream('Send', 'a', 'id', 'x').subscribe({ next: () => {}, complete: () => {}, error: () => {} });
  given_up.dispose();
  await client.join('a');
  await client.send('a', 'id');
  await becomesTrue('the connection goes on', () => client.messages.length === 1);
});

test('a Send without an id for its answer has none', async (t) => {
  const [node] = await startNodes(t, 1);
  const client = await ChatClient.connect(t, node.url);
  await client.join('a');
  const records = [];
  const receive = client.hub.connection.transport.onreceive;
  client.hub.connection.transport.onreceive = (frame) => {
    records.push(...frame.split('\u001e').filter(Boolean).map((record) => JSON.parse(record)));
    receive(frame);
  };
  await client.hub.send('Send', 'a', 'id', 'x');
  await client.hub.send('Shout');
  await client.send('a', 'last');
  await becomesTrue('both have arrived', () => client.messages.length === 2);
  assert.equal(records.filter((record) => record.type === 3).length, 1);
});

test('a record that is no JSON ends the connection with a reason', async (t) => {
  const [node] = await startNodes(t, 1);
  for (const stateful of [false, true]) {
    const client = await ChatClient.connect(t, node.url, { stateful, reconnect: [0] });
    await client.hub.connection.send('{nonsense\u001e');
    await becomesTrue('the client learns of it', () => client.closed);
    assert.match(client.closed.error.message, /Server returned an error on close: a record cannot be read/);
    assert.equal(client.reconnectingCount, 0, 'it would only do it again');
  }
});

test('a text far beyond the limit ends the connection, and only that one', async (t) => {
  const [node] = await startNodes(t, 1, '--message-bytes-max', '1KiB');
  const bystander = await ChatClient.connect(t, node.url);
  await bystander.join('a');
  for (const bytes of [20_000, 200_000, 2_000_000]) {
    const client = await ChatClient.connect(t, node.url);
    await assert.rejects(client.send('a', 'id', 'x'.repeat(bytes)));
    await becomesTrue('the client learns of it', () => client.closed);
    assert.match(client.closed.error.message, /Server returned an error on close: a record has more than 14336 bytes: the text of a message may have 1024/);
  }
  await bystander.send('a', 'id');
  await becomesTrue('the other one goes on', () => bystander.messages.length === 1);
});

test('a client that wants another protocol is told', async (t) => {
  const [node] = await startNodes(t, 1);
  const socket = new WebSocket(node.url.replace('http', 'ws'));
  t.after(() => socket.terminate());
  const frames = [];
  let code = 0;
  socket.on('open', () => socket.send('{"protocol":"messagepack","version":1}\u001e'));
  socket.on('message', (frame) => frames.push(String(frame)));
  socket.on('close', (closed) => (code = closed));
  await becomesTrue('the connection is closed', () => code !== 0);
  assert.deepEqual(frames, ['{"error":"only the protocol json is supported"}\u001e']);
  assert.equal(code, 1002);
});

// Method: both sides give up after 500 ms of silence; there is nothing to say but pings for longer than that.
test('pings keep an idle connection', async (t) => {
  const [node] = await startNodes(t, 1, '--ping-interval', '100ms', '--client-timeout', '500ms');
  for (const stateful of [false, true]) {
    const client = new ChatClient(node.url, { stateful });
    client.hub.serverTimeoutInMilliseconds = 500;
    client.hub.keepAliveIntervalInMilliseconds = 100;
    t.after(() => client.hub.stop());
    await client.hub.start();
    let pings = 0;
    const receive = client.hub.connection.transport.onreceive;
    client.hub.connection.transport.onreceive = (frame) => {
      pings += frame.includes('"type":6') ? 1 : 0;
      receive(frame);
    };
    await becomesTrue('ten pings have come', () => pings >= 10);
    assert.equal(client.closed, undefined);
    await client.join('a');
  }
  assert.equal(await node.metric('connections_resumed_total'), 0);
});

test('a node that is full says so', async (t) => {
  const [node] = await startNodes(t, 1, '--connections-max', '1');
  const first = await ChatClient.connect(t, node.url);
  await assert.rejects(ChatClient.connect(t, node.url), /503/);
  await assert.rejects(ChatClient.connect(t, node.url, { skipNegotiation: true }));
  const answer = await fetch(`${node.url}/negotiate`, { method: 'POST' });
  assert.match(await answer.text(), /--connections-max/);
  await first.hub.stop();
  await becomesTrue('there is room again', async () => (await node.metric('connections')) === 0);
  await ChatClient.connect(t, node.url);
});

test('a page of a foreign origin needs --allow-origin', async (t) => {
  const headers = { Origin: 'https://app.example.org' };
  const [closed] = await startNodes(t, 1);
  await assert.rejects(ChatClient.connect(t, closed.url, { headers }), /403/);
  const [open] = await startNodes(t, 1, '--allow-origin', 'https://app.example.org');
  const client = await ChatClient.connect(t, open.url, { headers });
  await client.join('a');
  const answer = await fetch(`${open.url}/negotiate`, { method: 'OPTIONS', headers });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get('access-control-allow-origin'), headers.Origin);
  const other = { Origin: 'https://evil.example.org' };
  await assert.rejects(ChatClient.connect(t, open.url, { headers: other, skipNegotiation: true }));
});
