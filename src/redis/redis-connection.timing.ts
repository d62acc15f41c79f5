import type { RedisConnectionOptions } from './redis-connection.options.js';

const PROBE_INTERVAL_MS = 200;
const SILENCE_LIMIT_MS = 2_000;
const FACTS_INTERVAL_MS = 1_000;
const LAST_LOOK_MS = 10;

/** How patient a connection is, in milliseconds. */
export interface ConnectionTiming {
  readonly timeoutMs: number;
  readonly heartbeatLimitMs: number;
  /** Longest time between two looks at the connection. */
  readonly watchIntervalMs: number;
  /** How long an open connection may stay silent before it is replaced. */
  readonly silenceLimitMs: number;
  /** How often a heartbeat is followed by the question who the server is. */
  readonly factsIntervalMs: number;
  /** How long an urgent command waits for a server that has been silent for long already. */
  readonly lastLookMs: number;
}

export function timingOf(options: RedisConnectionOptions): ConnectionTiming {
  const { timeoutMs } = options;
  return {
    timeoutMs,
    heartbeatLimitMs: timeoutMs / 2,
    watchIntervalMs: Math.min(options.probeIntervalMs ?? PROBE_INTERVAL_MS, timeoutMs / 4),
    silenceLimitMs: options.silenceLimitMs ?? Math.max(SILENCE_LIMIT_MS, timeoutMs),
    factsIntervalMs: FACTS_INTERVAL_MS,
    lastLookMs: LAST_LOOK_MS,
  };
}
