// Who is where: the name and the room, as the page's address has them: /?room=lobby&name=ada. Pure.
import { visibleName } from "./envelope.js";

const roomLengthMax = 50; // at most 200 bytes, as many as a node takes by default

export function placeFrom(query, random = Math.random) {
  const wanted = new URLSearchParams(query);
  const name = visibleName(wanted.get("name") ?? "");
  const room = [...(wanted.get("room") ?? "").trim()].slice(0, roomLengthMax).join("");
  return {
    name: name === "" ? `guest-${100 + Math.floor(random() * 900)}` : name,
    room: room === "" ? "lobby" : room,
  };
}

export function queryOf({ name, room }) {
  return `?${new URLSearchParams({ room, name })}`;
}
