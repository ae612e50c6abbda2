// Which node is at the other end? Behind a load balancer a request for /node may be answered by
// another node than the one that has the WebSocket. So the WebSocket's address carries a random id,
// and a node that is asked for that id says whether it has this connection. With round robin the
// right one answers within a few questions.

const triesMax = 20;
const pauseMs = 150;

// What the right node says of itself, or null when it did not turn up. `ask(id)` yields the answer
// of some node or throws; `isWanted()` becomes false when the connection is another one meanwhile.
export async function findNode(id, { ask, wait, isWanted }) {
  for (let tries = 0; tries < triesMax && isWanted(); tries += 1) {
    if (tries > 1) await wait(pauseMs);
    const answer = await ask(id).catch(() => null);
    if (answer?.serves_page === true) return isWanted() ? answer : null;
  }
  return null;
}
