// Who wrote a message travels inside its text, as JSON {name, text}: the hub carries one string and
// knows no names. Whatever else arrives as text is shown as it is. Pure.

export const nameLengthMax = 40;

export function wrap(name, text) {
  return JSON.stringify({ name, text });
}

// {name, text}; the name is null when the text was not made by a page like this one.
export function unwrap(raw) {
  let said = null;
  try {
    said = JSON.parse(raw);
  } catch {
    // not JSON: somebody else's message
  }
  if (typeof said?.name !== "string" || typeof said.text !== "string")
    return { name: null, text: raw };
  return { name: said.name, text: said.text };
}

// What controls, turns the direction of writing, or takes no room at all: in a name it serves only to
// pose as somebody else. Joiners are not among them: Persian names and emoji need them.
const deceptive =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u{61c}\u{200b}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{feff}]/gu;

// A name as it is shown: one short line.
export function visibleName(name) {
  const plain = name.replace(/\s+/gu, " ").replace(deceptive, "\u{fffd}").trim();
  return [...plain].slice(0, nameLengthMax).join("");
}
