// What one room has shown so far, newest last, and how far into the log that reaches. Pure.

export const shownMax = 500;

export class Room {
  // The newest position that this page knows of; opaque. null: it was never in the room.
  cursor = null;
  entries = [];

  constructor(name) {
    this.name = name;
  }

  add(entry) {
    this.entries.push(entry);
    if (this.entries.length > shownMax) this.entries.shift();
    return entry;
  }
}
