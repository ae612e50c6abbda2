// The screen. Whatever people or nodes wrote goes in as textContent, never as HTML; the page's
// Content-Security-Policy forbids the other ways besides (trusted types).
import { visibleName } from "./envelope.js";
import { shownMax } from "./room.js";

const connectionTexts = {
  connecting: "connecting",
  connected: "connected",
  reconnecting: "reconnecting",
  disconnected: "disconnected",
};

const pendingTexts = {
  sending: "sending",
  retrying: "retrying",
  logged: "in the log",
};

const hueCount = 8;

const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };

export class View {
  #log = document.getElementById("log");
  #pending = document.getElementById("pending");
  #scroller = document.getElementById("conversation");
  #newer = document.getElementById("newer");
  #connection = document.getElementById("connection");
  #node = document.getElementById("node");
  #room = document.getElementById("room-state");
  #empty = document.getElementById("empty");
  #countdown = null;
  #follows = true; // the newest message is in sight and stays so, whatever grows or shrinks

  constructor() {
    this.#newer.addEventListener("click", () => this.#toEnd());
    this.#scroller.addEventListener("scroll", () => {
      const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
      this.#follows = scrollHeight - scrollTop - clientHeight < 40;
      if (this.#follows) this.#newer.hidden = true;
    });
    const follow = () => {
      if (this.#follows) this.#toEnd();
    };
    const sizes = new ResizeObserver(follow);
    for (const part of [this.#scroller, this.#log, this.#pending]) sizes.observe(part);
  }

  // From Link: what it does, and until when it waits.
  showConnection(state, untilMs) {
    clearInterval(this.#countdown);
    this.#connection.dataset.state = state;
    put(this.#connection, ".words", connectionTexts[state]);
    put(this.#connection, ".countdown", "");
    if (state !== "connected") this.showNode(null);
    if (untilMs === undefined) return;
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((untilMs - Date.now()) / 1_000));
      put(this.#connection, ".countdown", `next try in ${seconds} s`);
    };
    tick();
    this.#countdown = setInterval(tick, 250);
  }

  // What the node at the other end says of itself; null: not known.
  showNode(node) {
    this.#node.hidden = node === null;
    put(this.#node, ".name", node?.node ?? "");
    this.#node.title = node === null ? "" : `ordeal-chat ${node.version}, application ${node.app}`;
  }

  // Chat's screen.
  onRoom(room, state, reason) {
    const texts = {
      joining:
        reason === "" ? `Entering ${room.name} …` : `Entering ${room.name}: ${reason}. Trying on.`,
      joined: "",
      refused: `${room.name} cannot be entered: ${reason}`,
    };
    this.#room.dataset.state = state;
    this.#room.textContent = texts[state];
    this.#room.hidden = state === "joined";
  }

  showRoom(room) {
    document.title = `${room.name} · Ordeal chat`;
    this.#log.replaceChildren(...room.entries.map(entryElement));
    this.#empty.hidden = room.entries.length > 0;
    this.#toEnd();
  }

  onEntry(entry) {
    this.#log.append(entryElement(entry));
    while (this.#log.children.length > shownMax) this.#log.firstElementChild.remove();
    this.#empty.hidden = true;
    if (this.#follows || entry.isOwn) this.#toEnd();
    else this.#newer.hidden = false;
  }

  onPending(entries) {
    this.#pending.replaceChildren(...entries.map(pendingElement));
  }

  #toEnd() {
    this.#follows = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#newer.hidden = true;
  }
}

function entryElement(entry) {
  if (entry.kind === "gap") return gapElement(entry);
  const state = entry.kind === "refused" ? "refused" : "shown";
  const note =
    entry.kind === "refused" ? `refused: ${entry.reason}` : entry.isOwn ? "in the log" : "";
  return messageElement({ ...entry, state, note });
}

function pendingElement({ id, raw, state, reason }) {
  const note = reason === "" ? pendingTexts[state] : `${pendingTexts[state]}: ${reason}`;
  const { name, text } = JSON.parse(raw);
  return messageElement({ id, name, text, isOwn: true, state, note });
}

function messageElement({ id, name, text, isOwn, state, note, at }) {
  const element = fromTemplate("message-template");
  element.dataset.id = id;
  element.dataset.state = state;
  element.classList.toggle("own", isOwn);
  const shownName = name === null ? "" : visibleName(name);
  element.dataset.hue = hueOf(shownName);
  put(element, ".avatar", [...shownName][0]?.toUpperCase() ?? "·");
  put(element, ".author", shownName === "" ? "unsigned" : shownName);
  element.querySelector(".author").classList.toggle("unsigned", shownName === "");
  put(element, ".text", text);
  put(element, ".note", note);
  const time = element.querySelector("time");
  if (at === undefined) {
    time.remove();
  } else {
    time.dateTime = at.toISOString();
    time.textContent = at.toLocaleTimeString([], clock);
  }
  return element;
}

function gapElement({ reason }) {
  const element = fromTemplate("gap-template");
  put(element, ".reason", reason);
  return element;
}

function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function put(element, selector, text) {
  const part = element.querySelector(selector);
  if (part.textContent !== text) part.textContent = text;
}

function hueOf(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 65_521;
  return String(sum % hueCount);
}
