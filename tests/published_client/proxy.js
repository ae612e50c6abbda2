// A TCP proxy before a node, to cut connections where the client library cannot see it coming.
import { once } from 'node:events';
import net from 'node:net';

export class Proxy {
  #server;
  #pairs = new Set();
  #budget = { toServer: Infinity, toClient: Infinity };

  static async before(t, node) {
    const proxy = new Proxy();
    proxy.#server = net.createServer((client) => proxy.#serve(client, node.port));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    t.after(() => {
      proxy.#server.close();
      proxy.cut();
    });
    proxy.url = `http://127.0.0.1:${proxy.#server.address().port}/chat`;
    return proxy;
  }

  isRefusing = false;
  connectionCount = 0;  // ever

  // Resets every connection.
  cut() {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
    this.#pairs.clear();
  }

  // Lets so many bytes pass in one direction, then cuts: in the middle of a frame, likely.
  cutAfter(direction, bytes) {
    this.#budget[direction] = bytes;
  }

  #serve(client, port) {
    if (this.isRefusing) {
      client.resetAndDestroy();
      return;
    }
    ++this.connectionCount;
    const server = net.connect(port, '127.0.0.1');
    const pair = [client, server];
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of pair) socket.setNoDelay(true).on('error', end).on('close', end);
    client.on('data', (bytes) => this.#pass('toServer', bytes, server));
    server.on('data', (bytes) => this.#pass('toClient', bytes, client));
  }

  #pass(direction, bytes, to) {
    const allowed = this.#budget[direction];
    if (bytes.length < allowed) {
      this.#budget[direction] -= bytes.length;
      to.write(bytes);
      return;
    }
    this.#budget[direction] = Infinity;
    // What was allowed is with the kernel first: it arrives before the cut.
    to.write(bytes.subarray(0, allowed), () => {
      for (const pair of this.#pairs) if (pair.includes(to)) for (const socket of pair) socket.destroy();
    });
  }
}
