// How long to wait before the next try. Pure: the randomness is an argument.

// Connections: a node that restarts meets its clients spread out, and nobody waits above 10 s.
export const connectPauses = { firstMs: 300, longestMs: 10_000 };

// Calls on an open connection: the node answered "retry: ...", mostly because Redis is away.
export const callPauses = { firstMs: 250, longestMs: 3_000 };

// Doubles with every failed try up to the longest, and takes a random half off ("equal jitter").
export function retryDelayMs(failures, { firstMs, longestMs }, random = Math.random) {
  const whole = Math.min(longestMs, firstMs * 2 ** Math.min(failures, 30));
  return Math.round(whole / 2 + (whole / 2) * random());
}
