// A chat application as its author would write it around the published library: rooms with cursors, Sends that are
// repeated with the same id until they are answered.
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

const installed = process.env.PUBLISHED_CLIENT_INSTALLED;
if (!installed) throw new Error('PUBLISHED_CLIENT_INSTALLED is not set: run this through ctest -R PublishedClient');
const require = createRequire(`${installed}/`);
export const signalr = require('@microsoft/signalr');
export const WebSocket = require('ws');

export class ChatClient {
  messages = [];  // { room, cursor, id, text }, as received
  resets = [];
  reconnectingCount = 0;
  reconnectedCount = 0;
  closed = undefined;  // { error } once the connection is over
  #cursors = new Map();
  // Whose message ids these are, over every connection and on every node.
  #sender = randomUUID();

  // options: stateful, reconnect (delays in ms), headers, moveTo (the url after the first loss), skipNegotiation
  constructor(url, options = {}) {
    const http = { headers: options.headers ?? {} };
    if (options.skipNegotiation) {
      http.skipNegotiation = true;
      http.transport = signalr.HttpTransportType.WebSockets;
    }
    const builder = new signalr.HubConnectionBuilder().withUrl(this.#at(url), http).configureLogging(signalr.LogLevel.None);
    if (options.stateful) builder.withStatefulReconnect();
    if (options.reconnect) builder.withAutomaticReconnect(options.reconnect);
    this.hub = builder.build();
    this.hub.on('Message', (room, cursor, id, text) => {
      this.messages.push({ room, cursor, id, text });
      this.#cursors.set(room, cursor);
    });
    this.hub.on('Reset', (room, reason) => this.resets.push(`${room}: ${reason}`));
    this.hub.onclose((error) => (this.closed = { error }));
    this.hub.onreconnecting(() => {
      ++this.reconnectingCount;
      if (options.moveTo) this.hub.baseUrl = this.#at(options.moveTo);
    });
    this.hub.onreconnected(async () => {
      // Rooms belong to the connection that is gone.
      for (const room of [...this.#cursors.keys()]) await this.join(room);
      ++this.reconnectedCount;
    });
  }

  static async connect(t, url, options) {
    const client = new ChatClient(url, options);
    t.after(() => client.hub.stop());
    await client.hub.start();
    return client;
  }

  #at(url) {
    return `${url}?sender=${this.#sender}`;
  }

  // Where it was, when it was there before.
  async join(room) {
    const cursor = await this.hub.invoke('Join', room, this.#cursors.get(room) ?? null);
    if (!this.#cursors.has(room)) this.#cursors.set(room, cursor);
    return cursor;
  }

  send(room, id, text = id) {
    return this.hub.invoke('Send', room, id, text);
  }

  // Until the log has it.
  async sendSurely(room, id, text = id) {
    for (let tries = 0; ; ++tries) {
      try {
        return await this.send(room, id, text);
      } catch (failure) {
        if (tries > 1_000 || /refused/.test(failure.message)) throw failure;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  texts(room) {
    return this.messages.filter((message) => message.room === room).map((message) => message.text);
  }
}

export function numbered(name, count) {
  return Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);
}
