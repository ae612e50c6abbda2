// The conversation: which room, with which cursor; what was said; what is still to be sent. It
// knows the hub's three methods and nothing of browsers: the hub, the pauses and the screen are
// arguments.
//
//   hub     { invoke(method, ...arguments) → promise, isConnected() }
//   screen  { onEntry(entry), onPending(entries), onRoom(room, state, reason) }, of the present room
import { callPauses, retryDelayMs } from "./backoff.js";
import { unwrap, wrap } from "./envelope.js";
import { isRefusal, Outbox, plainReason } from "./outbox.js";
import { Room } from "./room.js";

export class Chat {
  #hub;
  #screen;
  #wait;
  #newId;
  #rooms = new Map();
  #present = null;
  #joinCount = 0;
  #isJoined = false;
  #isSending = false;
  #outbox = new Outbox();

  constructor({ hub, screen, wait, newId }) {
    this.#hub = hub;
    this.#screen = screen;
    this.#wait = wait;
    this.#newId = newId;
  }

  get room() {
    return this.#present;
  }

  // Leaves the present room for this one. Back in a room, it goes on where it left.
  enter(name) {
    if (this.#present?.name === name) return;
    const left = this.#present;
    this.#present = this.#roomOf(name);
    if (left !== null && this.#hub.isConnected()) {
      // A Leave that is lost does no harm: the connection is lost with it.
      this.#hub.invoke("Leave", left.name).catch(() => {});
    }
    this.#showPending();
    if (this.#hub.isConnected()) void this.#join();
  }

  // False: too much is waiting already.
  say(name, text) {
    const entry = this.#outbox.add({
      id: this.#newId(),
      room: this.#present.name,
      raw: wrap(name, text),
    });
    if (entry === null) return false;
    this.#showPending();
    void this.#sendAll();
    return true;
  }

  onConnected() {
    if (this.#present !== null) void this.#join();
  }

  onDisconnected() {
    this.#isJoined = false;
    this.#joinCount += 1; // whatever a Join on its way brings is of no use any more
  }

  // Repeats are not filtered: the server promises each message once, and this page shows whether it
  // keeps that.
  onMessage(roomName, cursor, id, raw) {
    const room = this.#roomOf(roomName);
    room.cursor = cursor;
    const isOwn = this.#outbox.onSeen(id) !== null;
    this.#show(room, { kind: "message", id, isOwn, ...unwrap(raw) });
    if (isOwn) this.#showPending();
  }

  onReset(roomName, reason) {
    const room = this.#roomOf(roomName);
    for (const entry of this.#outbox.takeLogged(roomName)) {
      this.#show(room, { kind: "message", id: entry.id, isOwn: true, ...unwrap(entry.raw) });
    }
    this.#show(room, { kind: "gap", reason });
    this.#showPending();
  }

  // Until the hub has answered, the connection is gone, or somebody went elsewhere.
  async #join() {
    const number = ++this.#joinCount;
    const room = this.#present;
    this.#isJoined = false;
    this.#screen.onRoom(room, "joining", "");
    for (let failures = 0; ; failures += 1) {
      const known = room.cursor;
      const { value: cursor, error } = await settled(this.#hub.invoke("Join", room.name, known));
      if (number !== this.#joinCount) return;
      if (error === undefined) {
        // Messages that came right behind the answer have been taken in already: theirs are newer.
        if (room.cursor === known) room.cursor = cursor;
        break;
      }
      const isOver = isRefusal(error);
      this.#screen.onRoom(room, isOver ? "refused" : "joining", plainReason(error));
      if (isOver) return;
      await this.#wait(retryDelayMs(failures, callPauses));
      if (number !== this.#joinCount) return;
    }
    this.#isJoined = true;
    this.#screen.onRoom(room, "joined", "");
    void this.#sendAll();
  }

  async #sendAll() {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let entry = this.#next(); entry !== null; entry = this.#next()) await this.#send(entry);
    this.#isSending = false;
  }

  #next() {
    return this.#isJoined ? this.#outbox.head() : null;
  }

  async #send(entry) {
    this.#outbox.onSending(entry);
    this.#showPending();
    const { error } = await settled(this.#hub.invoke("Send", entry.room, entry.id, entry.raw));
    if (error === undefined) {
      this.#outbox.onLogged(entry);
      this.#showPending();
      return;
    }
    const isOver = this.#outbox.onFailure(entry, error);
    this.#showPending();
    if (isOver) {
      const said = unwrap(entry.raw);
      this.#show(this.#roomOf(entry.room), {
        kind: "refused",
        id: entry.id,
        isOwn: true,
        reason: entry.reason,
        ...said,
      });
    } else {
      await this.#wait(retryDelayMs(entry.failures - 1, callPauses));
    }
  }

  #roomOf(name) {
    if (!this.#rooms.has(name)) this.#rooms.set(name, new Room(name));
    return this.#rooms.get(name);
  }

  #show(room, entry) {
    entry.at = new Date();
    room.add(entry);
    if (room === this.#present) this.#screen.onEntry(entry);
  }

  #showPending() {
    if (this.#present !== null) this.#screen.onPending(this.#outbox.entriesOf(this.#present.name));
  }
}

async function settled(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
