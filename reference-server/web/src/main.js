// Puts the page together: the published SignalR client, the link that keeps it connected, the
// conversation, the screen.
import { HttpTransportType, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { Chat } from "./chat.js";
import { Link } from "./link.js";
import { findNode } from "./node_search.js";
import { placeFrom, queryOf } from "./place.js";
import { View } from "./view.js";

const wait = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));

// Not crypto.randomUUID: that one is missing where the page comes over plain HTTP from another
// machine.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The id that the node knows the present WebSocket by (node_search.js).
let socketId = "";

class NamedWebSocket extends WebSocket {
  constructor(url) {
    socketId = newId();
    super(`${url}&page=${socketId}`);
  }
}

// Whose message ids these are, over every connection of this page and on every node: a message that
// is sent again after a connection was lost is known by it.
const senderKey = newId();

// WebSockets only, without negotiation: behind a load balancer that is not sticky the negotiation
// and the WebSocket would reach different nodes, and the second one does not know the first one's
// connection id. A WebSocket is one connection to one node, and the cursor makes it unimportant to
// which.
function build(retryPolicy) {
  return new HubConnectionBuilder()
    .withUrl(`/chat?sender=${senderKey}`, {
      skipNegotiation: true,
      transport: HttpTransportType.WebSockets,
      WebSocket: NamedWebSocket,
    })
    .withAutomaticReconnect(retryPolicy)
    .configureLogging(LogLevel.Warning)
    .build();
}

async function askNode(id) {
  const response = await fetch(`/node?page=${id}`, { cache: "no-store" });
  if (!response.ok) throw new Error(`GET /node: ${response.status}`);
  return response.json();
}

async function showNode() {
  const id = socketId;
  const isWanted = () => id === socketId && link.isConnected();
  const node = await findNode(id, { ask: askNode, wait, isWanted });
  if (isWanted()) view.showNode(node);
}

const view = new View();

const link = new Link({
  build,
  wait,
  now: () => Date.now(),
  onState(state, untilMs) {
    view.showConnection(state, untilMs);
    if (state === "connected") {
      chat.onConnected();
      void showNode();
    } else {
      chat.onDisconnected();
    }
  },
});

const chat = new Chat({ hub: link, screen: view, wait, newId });
// Reset may come with more arguments one day: only these two are of interest.
link.connection.on("Message", (room, cursor, id, text) => chat.onMessage(room, cursor, id, text));
link.connection.on("Reset", (room, reason) => chat.onReset(room, reason));
// After a fork this page still has everything; only others may have it in another order.
link.connection.on("Fork", () => {});

const placeForm = document.getElementById("place");
const composer = document.getElementById("composer");
const text = document.getElementById("text");

function enter(place) {
  placeForm.elements.name.value = place.name;
  placeForm.elements.room.value = place.room;
  history.replaceState(null, "", queryOf(place));
  if (chat.room?.name === place.room) return;
  chat.enter(place.room);
  view.showRoom(chat.room);
}

placeForm.addEventListener("change", () => {
  const { name, room } = placeForm.elements;
  enter(placeFrom(queryOf({ name: name.value, room: room.value })));
});
placeForm.addEventListener("submit", (event) => {
  event.preventDefault();
  text.focus();
});

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  if (text.value.trim() === "") return;
  if (!chat.say(placeForm.elements.name.value, text.value)) {
    text.setCustomValidity("Too many messages wait to be sent. Try again when some are through.");
    text.reportValidity();
    return;
  }
  text.value = "";
});
text.addEventListener("input", () => text.setCustomValidity(""));
text.addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter ends that and not the message.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

enter(placeFrom(location.search));
text.focus();
void link.start();
