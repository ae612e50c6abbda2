// A private Redis and nodes of ordeal-chat on ports of their own, ended with the test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const program = process.env.ORDEAL_CHAT_PROGRAM;
if (!program) throw new Error('ORDEAL_CHAT_PROGRAM is not set: run this through ctest -R PublishedClient');

// TOOLCHAIN(node-20): after sockets were destroyed with writes on their way, its own clean-up at the exit may spin for
// ever. Nothing is left to clean up then: every test has ended what it started.
process.on('exit', (code) => process.reallyExit(process.exitCode ?? code));

// Polls until `condition()` is true; says what was missing when it does not become so.
export async function becomesTrue(what, condition, limitMs = 20_000) {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`did not happen within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// A child that ends with this process, even when that one is killed.
function start(command, options = {}) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  child.output = '';
  child.stdout.on('data', (text) => (child.output += text));
  child.stderr.on('data', (text) => (child.output += text));
  child.hasEnded = false;
  child.ended = once(child, 'exit').then(([code, signal]) => {
    child.hasEnded = true;
    return signal ?? code;
  });
  return child;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

async function startRedis(t) {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'ordeal-client-'));
  // Somebody else may take the port in between: then once more.
  for (let tries = 0; tries < 5; ++tries) {
    const port = await freePort();
    const child = start(['redis-server', '--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', directory]);
    t.after(async () => {
      child.kill('SIGKILL');
      await child.ended;
      await rm(directory, { recursive: true, force: true });
    });
    await becomesTrue('redis-server accepts connections', async () => child.hasEnded || (await accepts(port)));
    if (!child.hasEnded) return port;
  }
  throw new Error('redis-server does not start: is it installed? ./dev setup installs it');
}

class ChatNode {
  constructor(child, port) {
    this.child = child;
    this.port = port;
    this.url = `http://127.0.0.1:${port}/chat`;
  }
  kill(signal) {
    this.child.kill(signal);
    return this.child.ended;
  }
  // A counter or gauge of /metrics.
  async metric(name) {
    const text = await (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(`ordeal_chat_${name} `));
    return Number(line.split(' ').pop());
  }
}

async function startNode(t, redisPort, flags) {
  const child = start([program, '--listen', '127.0.0.1:0', '--redis-url', `redis://127.0.0.1:${redisPort}`, ...flags]);
  t.after(() => {
    child.kill('SIGKILL');
    return child.ended;
  });
  const sentence = /listening on 127\.0\.0\.1:(\d+)/;
  await becomesTrue('ordeal-chat listens', () => sentence.test(child.output) || child.hasEnded);
  if (child.hasEnded) throw new Error(`ordeal-chat ended: ${child.output}`);
  const node = new ChatNode(child, Number(sentence.exec(child.output)[1]));
  await becomesTrue('ordeal-chat is ready', async () => (await fetch(`http://127.0.0.1:${node.port}/readyz`)).ok);
  return node;
}

// `count` nodes of one application.
export async function startNodes(t, count, ...flags) {
  const redisPort = await startRedis(t);
  const nodes = [];
  for (let i = 0; i < count; ++i) nodes.push(await startNode(t, redisPort, flags));
  return nodes;
}
