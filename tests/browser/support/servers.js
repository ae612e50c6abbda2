// What the tutorial needs: one Redis with a password, nodes, and a load balancer without stickiness
// before them.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { get } from "node:http";
import { createConnection } from "node:net";
import { join } from "node:path";

import { Child, freePort } from "./processes.js";
import { programNamed } from "./programs.js";

export class Redis {
  #stage;
  #child = null;
  #password = randomBytes(16).toString("hex");

  static async start(stage) {
    const redis = new Redis();
    redis.#stage = stage;
    redis.port = await freePort();
    redis.passwordFile = join(stage.directory, "redis-password");
    writeFileSync(redis.passwordFile, redis.#password, { mode: 0o600 });
    const rules = [
      `bind 127.0.0.1`,
      `port ${redis.port}`,
      `dir ${stage.directory}`,
      `requirepass ${redis.#password}`,
    ];
    rules.push(`save ""`, `appendonly yes`, `appendfsync always`);
    writeFileSync(join(stage.directory, "redis.conf"), `${rules.join("\n")}\n`, { mode: 0o600 });
    stage.atEnd(() => redis.kill());
    await redis.restart();
    return redis;
  }

  async restart() {
    this.#child = new Child("redis-server", [
      "redis-server",
      join(this.#stage.directory, "redis.conf"),
    ]);
    await this.#child.becomes("an answer to PING", () => this.#isAnswering());
  }

  async kill() {
    await this.#child?.kill();
  }

  #isAnswering() {
    return new Promise((resolve) => {
      const socket = createConnection(this.port, "127.0.0.1");
      socket.on("error", () => resolve(false));
      socket.on("connect", () => socket.write(`AUTH ${this.#password}\r\nPING\r\n`));
      socket.setEncoding("utf8").on("data", (text) => {
        if (text.includes("PONG") || text.includes("LOADING")) socket.destroy();
        resolve(text.includes("PONG"));
      });
    });
  }
}

export class ChatNode {
  #child;

  // Ready when it returns.
  static async start(stage, redis, options) {
    const node = await ChatNode.launch(stage, redis, options);
    await node.isReady();
    return node;
  }

  // Listening when it returns: that it does without Redis.
  static async launch(stage, redis, { name, port = 0, app = "chat", flags = [] }) {
    const node = new ChatNode();
    node.name = name;
    node.#child = new Child(name, [process.env.ORDEAL_CHAT_PROGRAM, ...flags], {
      ORDEAL_CHAT_LISTEN: `127.0.0.1:${port}`,
      ORDEAL_CHAT_NODE: name,
      ORDEAL_CHAT_APP: app,
      ORDEAL_CHAT_REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      ORDEAL_CHAT_REDIS_PASSWORD_FILE: redis.passwordFile,
    });
    stage.atEnd(() => node.kill());
    const listening = await node.#child.becomes("a port", () =>
      /listening on 127\.0\.0\.1:(\d+)/.exec(node.#child.output),
    );
    node.port = Number(listening[1]);
    node.url = `http://127.0.0.1:${node.port}`;
    return node;
  }

  isReady() {
    const answersReady = async () => (await ask(`${this.url}/readyz`)).status === 200;
    return this.#child.becomes("readiness", answersReady);
  }

  kill() {
    return this.#child.kill();
  }
}

// Round robin over both nodes, for WebSockets and for the rest each, and no stickiness. An unready
// node gets nothing new; what is open stays open.
export async function startLoadBalancer(stage, nodes) {
  const port = await freePort();
  const servers = (how) =>
    nodes.map(({ name, port: at }) => `  server ${name} 127.0.0.1:${at} ${how(name)}`).join("\n");
  const configuration = `
global
  maxconn 200
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout tunnel 10m
  retries 2
  option redispatch
  default-server inter 200ms fall 2 rise 1
frontend chat
  bind 127.0.0.1:${port}
  use_backend sockets if { path /chat }
  default_backend plain
backend plain
  balance roundrobin
  option httpchk GET /readyz
${servers(() => "check")}
backend sockets
  balance roundrobin
${servers((name) => `track plain/${name}`)}
`;
  const file = join(stage.directory, "haproxy.cfg");
  writeFileSync(file, configuration);
  const balancer = new Child("haproxy", [programNamed("haproxy"), "-db", "-f", file]);
  stage.atEnd(() => balancer.kill());
  const url = `http://127.0.0.1:${port}`;
  await balancer.becomes("an answer of every node", async () => {
    const names = await Promise.all(nodes.map(() => ask(`${url}/node`)));
    const seen = new Set(
      names.filter(({ status }) => status === 200).map(({ body }) => JSON.parse(body).node),
    );
    return seen.size === nodes.length;
  });
  return url;
}

// {status, headers, body}; status 0 when there is no answer.
export function ask(url, headers = {}) {
  return new Promise((resolve) => {
    const request = get(url, { headers, agent: false, timeout: 2_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => (body += text));
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body }),
      );
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve({ status: 0, headers: {}, body: "" }));
  });
}
