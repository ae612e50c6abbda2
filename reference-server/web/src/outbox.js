// What this page has written and not yet seen in its room. Pure: calls go out elsewhere.
//
//   add ──▶ sending ──▶ logged ──▶ seen (removed: it is shown where the log has it)
//              │ ▲
//              ▼ │
//           retrying        refused (removed: shown with the reason)
//
// One call at a time, in the order of writing, so that the log gets the messages in this order also
// across an outage. A message keeps its id however often it is sent: the log takes an id once.

export const unsentMax = 100;

export class Outbox {
  #entries = [];

  // The new entry, or null: too much is waiting.
  add({ id, room, raw }) {
    if (this.#entries.length >= unsentMax) return null;
    const entry = { id, room, raw, state: "sending", reason: "", failures: 0 };
    this.#entries.push(entry);
    return entry;
  }

  // What is to be sent now.
  head() {
    return this.#entries.find(({ state }) => state !== "logged") ?? null;
  }

  entriesOf(room) {
    return this.#entries.filter((entry) => entry.room === room);
  }

  onSending(entry) {
    entry.state = entry.failures === 0 ? "sending" : "retrying";
  }

  onLogged(entry) {
    entry.state = "logged";
    entry.reason = "";
  }

  // True when this is the end of it. Only a refusal is: after "retry: ..." and after a lost answer
  // nobody knows whether the log has the message, and the same id may be sent again.
  onFailure(entry, error) {
    entry.failures += 1;
    entry.reason = plainReason(error);
    if (!isRefusal(error)) {
      entry.state = "retrying";
      return false;
    }
    entry.state = "refused";
    this.#remove(entry);
    return true;
  }

  // The message came back through the log. The entry, or null when it was written elsewhere.
  onSeen(id) {
    const entry = this.#entries.find((each) => each.id === id) ?? null;
    if (entry !== null) this.#remove(entry);
    return entry;
  }

  // After a gap: what is in the log may never be seen here, and is taken out.
  takeLogged(room) {
    const logged = this.#entries.filter((entry) => entry.room === room && entry.state === "logged");
    for (const entry of logged) this.#remove(entry);
    return logged;
  }

  #remove(entry) {
    this.#entries = this.#entries.filter((each) => each !== entry);
  }
}

export function isRefusal(error) {
  return /^refused:/.test(error);
}

// The hub's reason without the word that is meant for programs; anything else means that no answer
// came.
export function plainReason(error) {
  const [, , reason] = /^(retry|refused): *(.*)$/s.exec(error) ?? [];
  return reason ?? "the connection was lost before the answer";
}
