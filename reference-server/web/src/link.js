// The connection to whichever node the load balancer gives: opened, kept, opened again, for ever.
// Says what it is doing as connecting, connected, reconnecting, or disconnected until a given time.
//
// The published client reconnects by itself after a connection is lost, with our pauses; it does
// neither after a first start that failed nor after a server that closed for good. Those two are
// tried again here, with the same pauses.
import { connectPauses, retryDelayMs } from "./backoff.js";

// Shorter pauses are not worth a word: it is still reconnecting.
const shownPauseMs = 1_000;

export class Link {
  #connection;
  #wait;
  #now;
  #onState;
  #pauseCount = 0;

  // `build` makes the client's connection from our retry policy; `onState(state, untilMs)` hears of
  // every change.
  constructor({ build, wait, now, onState }) {
    this.#wait = wait;
    this.#now = now;
    this.#onState = onState;
    this.#connection = build({
      nextRetryDelayInMilliseconds: ({ previousRetryCount }) => this.#pause(previousRetryCount),
    });
    this.#connection.onreconnected(() => this.#onState("connected"));
    this.#connection.onclose(() => void this.start(1));
  }

  get connection() {
    return this.#connection;
  }

  isConnected() {
    return this.#connection.state === "Connected";
  }

  invoke(method, ...values) {
    return this.#connection.invoke(method, ...values);
  }

  // Returns once it is connected; `failures` is how many tries went wrong before.
  async start(failures = 0) {
    for (let isOpen = false; !isOpen; failures += 1) {
      if (failures > 0) await this.#wait(this.#pause(failures - 1));
      else this.#onState("connecting");
      isOpen = await opened(this.#connection);
    }
    this.#onState("connected");
  }

  #pause(failures) {
    const number = ++this.#pauseCount;
    const delayMs = retryDelayMs(failures, connectPauses);
    if (delayMs < shownPauseMs) {
      this.#onState("reconnecting");
    } else {
      this.#onState("disconnected", this.#now() + delayMs);
      void this.#wait(delayMs).then(() => this.#onPauseOver(number));
    }
    return delayMs;
  }

  #onPauseOver(number) {
    if (number === this.#pauseCount && !this.isConnected()) this.#onState("reconnecting");
  }
}

async function opened(connection) {
  try {
    await connection.start();
    return true;
  } catch {
    return false; // the reason is in the browser's console: pages may not know it
  }
}
