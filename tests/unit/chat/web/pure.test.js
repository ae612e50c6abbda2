// The page's decisions, values in and values out: pauses, envelopes, addresses, the outbox, the
// bounded room.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  callPauses,
  connectPauses,
  retryDelayMs,
} from "../../../../reference-server/web/src/backoff.js";
import {
  nameLengthMax,
  unwrap,
  visibleName,
  wrap,
} from "../../../../reference-server/web/src/envelope.js";
import { Outbox, plainReason, unsentMax } from "../../../../reference-server/web/src/outbox.js";
import { placeFrom, queryOf } from "../../../../reference-server/web/src/place.js";
import { Room, shownMax } from "../../../../reference-server/web/src/room.js";

test("pauses double up to a cap, and a random half is taken off", () => {
  const never = () => 1;
  assert.deepEqual(
    [0, 1, 2, 3, 5, 6, 1_000].map((failures) => retryDelayMs(failures, connectPauses, never)),
    [300, 600, 1_200, 2_400, 9_600, 10_000, 10_000],
  );
  assert.equal(
    retryDelayMs(2, connectPauses, () => 0),
    600,
  );
  assert.equal(
    retryDelayMs(99, callPauses, () => 0),
    1_500,
  );
});

test("a name travels with its text", () => {
  const said = { name: "ada", text: "hello \u{1f44b}\n<b>" };
  assert.deepEqual(unwrap(wrap(said.name, said.text)), said);
});

test("a text that no page has made is shown as it is", () => {
  const foreign = [
    "plain",
    "",
    "null",
    "7",
    '"x"',
    "[]",
    "{}",
    '{"name":"ada"}',
    '{"name":1,"text":"x"}',
    '{"name":"a","text":{}}',
    "o1.run.1.2",
  ];
  for (const raw of foreign) assert.deepEqual(unwrap(raw), { name: null, text: raw });
});

test("a name hides nothing and turns nothing round", () => {
  assert.equal(visibleName("ada\u{202e}nimda"), "ada\u{fffd}nimda");
  assert.equal(visibleName("a\u{200b}b\u{2066}c\u{feff}d"), "a\u{fffd}b\u{fffd}c d");
  assert.equal(visibleName("  two\n\twords "), "two words");
  assert.equal(
    visibleName("Zo\u{eb} \u{5d3}\u{5e0}"),
    "Zo\u{eb} \u{5d3}\u{5e0}",
    "other scripts are names as well",
  );
  const coder = "\u{1f469}\u{200d}\u{1f4bb}";
  assert.equal(visibleName(coder), coder);
  assert.equal([...visibleName("\u{1f600}".repeat(100))].length, nameLengthMax);
});

test("the address says who is where", () => {
  assert.deepEqual(placeFrom("?room=lobby&name=ada"), { room: "lobby", name: "ada" });
  assert.deepEqual(
    placeFrom("", () => 0),
    { room: "lobby", name: "guest-100" },
  );
  assert.deepEqual(
    placeFrom("?room=%20&name=%E2%80%8B%20", () => 0.5),
    { room: "lobby", name: "\u{fffd}" },
  );
  assert.equal([...placeFrom(`?room=${"\u{1f600}".repeat(60)}`).room].length, 50);
  const place = { room: "caf\u{e9} & co", name: "a=b" };
  assert.deepEqual(placeFrom(queryOf(place)), place);
});

test("a message is sent until the log has it, under one id, in the order of writing", () => {
  const outbox = new Outbox();
  const first = outbox.add({ id: "1", room: "a", raw: "x" });
  const second = outbox.add({ id: "2", room: "a", raw: "y" });
  assert.equal(outbox.head(), first);
  assert.equal(outbox.onFailure(first, "retry: no Redis"), false);
  assert.deepEqual([first.id, first.state, first.reason], ["1", "retrying", "no Redis"]);
  assert.equal(outbox.head(), first, "the second waits for it");
  outbox.onSending(first);
  assert.equal(first.state, "retrying");
  outbox.onLogged(first);
  assert.deepEqual([first.state, first.reason], ["logged", ""]);
  assert.equal(outbox.head(), second);
  assert.equal(outbox.onSeen("1"), first);
  assert.equal(
    outbox.onSeen("1"),
    null,
    "a second time it would be a repeat, and not ours to hide",
  );
  assert.deepEqual(outbox.entriesOf("a"), [second]);
});

test("only a refusal is final", () => {
  const outbox = new Outbox();
  const entry = outbox.add({ id: "1", room: "a", raw: "x" });
  assert.equal(
    outbox.onFailure(entry, "Invocation canceled due to the underlying connection being closed."),
    false,
  );
  assert.equal(entry.reason, "the connection was lost before the answer");
  assert.equal(outbox.onFailure(entry, "refused: text is too long"), true);
  assert.deepEqual(
    [entry.state, entry.reason, outbox.head()],
    ["refused", "text is too long", null],
  );
});

test("a reason keeps what comes after the word for programs", () => {
  assert.equal(plainReason("retry: a: b\nc"), "a: b\nc");
  assert.equal(plainReason("refused:"), "");
});

test("after a gap, what the log has is waited for no more", () => {
  const outbox = new Outbox();
  const logged = outbox.add({ id: "1", room: "a", raw: "x" });
  outbox.onLogged(logged);
  const elsewhere = outbox.add({ id: "2", room: "b", raw: "x" });
  outbox.onLogged(elsewhere);
  const unsent = outbox.add({ id: "3", room: "a", raw: "x" });
  assert.deepEqual(outbox.takeLogged("a"), [logged]);
  assert.deepEqual([outbox.entriesOf("a"), outbox.entriesOf("b")], [[unsent], [elsewhere]]);
});

test("what waits is bounded, and so is what is shown", () => {
  const outbox = new Outbox();
  for (let id = 0; id < unsentMax; id += 1)
    assert.notEqual(outbox.add({ id, room: "a", raw: "" }), null);
  assert.equal(outbox.add({ id: "more", room: "a", raw: "" }), null);

  const room = new Room("a");
  for (let id = 0; id <= shownMax; id += 1) room.add({ id });
  assert.equal(room.entries.length, shownMax);
  assert.equal(room.entries[0].id, 1);
});
