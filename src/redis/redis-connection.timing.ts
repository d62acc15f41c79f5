export type ConnectionTiming = Readonly<ReturnType<typeof timingOf>>;

/** How patient a connection is whose commands may take `timeoutMs`, in milliseconds. */
export function timingOf(timeoutMs: number) {
  return {
    timeoutMs,
    heartbeatLimitMs: timeoutMs / 2,
    /** Longest time between two looks at the connection. */
    watchIntervalMs: Math.min(200, timeoutMs / 4),
    /** How long an open connection may stay silent before it is replaced. */
    silenceLimitMs: Math.max(2_000, timeoutMs),
    /** How often a heartbeat is followed by the question who the server is. */
    factsIntervalMs: 1_000,
    /** How long an urgent command waits for a server that has been silent for long already. */
    lastLookMs: 10,
  };
}
