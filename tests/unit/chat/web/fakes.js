// A hub whose answers the test gives, pauses that the test ends, a screen that remembers.

export class FakeHub {
  calls = [];
  isOpen = true;

  isConnected() {
    return this.isOpen;
  }

  invoke(method, ...values) {
    return new Promise((resolve, reject) => {
      this.calls.push({
        method,
        values,
        answer: resolve,
        fail: (error) => reject(new Error(error)),
      });
    });
  }

  // The oldest call that was not looked at.
  take(method) {
    const call = this.calls.shift();
    if (call?.method !== method)
      throw new Error(`expected ${method}, there is ${call?.method ?? "nothing"}`);
    return call;
  }
}

export class FakePauses {
  pauses = [];
  wait = (delayMs) => new Promise((resolve) => this.pauses.push({ delayMs, resolve }));

  end() {
    if (this.pauses.length === 0) throw new Error("nobody waits");
    for (const { resolve } of this.pauses.splice(0)) resolve();
    return settle();
  }
}

export class FakeScreen {
  shown = [];
  pending = [];
  rooms = [];

  onEntry({ kind, text, reason, isOwn }) {
    this.shown.push(kind === "gap" ? `gap: ${reason}` : `${isOwn ? "own " : ""}${kind}: ${text}`);
  }
  onPending(entries) {
    this.pending = entries.map(({ id, state, reason }) => [id, state, reason].join(" ").trim());
  }
  onRoom(room, state, reason) {
    this.rooms.push([room.name, state, reason].join(" ").trim());
  }
}

// Everything that can go on without the test has gone on.
export function settle() {
  return new Promise((resolve) => setImmediate(resolve));
}
