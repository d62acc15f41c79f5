/** A fault: something is broken on purpose, and mended after a while. */
import type { BoundName } from '../bounds.js';
import type { RedisKind, WritePolicy } from '../options.js';
import type { RunContext } from '../run-context.js';
import type { SeededRandom } from '../seeded-random.js';
import type { Writer } from '../writer.js';

export interface FaultContext extends RunContext {
  readonly random: SeededRandom;
  readonly writers: readonly Writer[];
  readonly policy: WritePolicy;
  /** Waits; ends early when the run does, so that the fault is mended. */
  readonly hold: (ms: number) => Promise<void>;
}

export interface Fault {
  readonly kind: string;
  /** The part that it breaks: two faults at a time never break the same part. */
  readonly part: 'instance' | 'redis' | 'postgres' | 'client';
  /** The kinds of Redis that it is for; by default all. */
  readonly on?: readonly RedisKind[];
  /** Whether it is over within about three seconds, recovery included. */
  readonly isQuick: boolean;
  /** Whether no other fault is injected at the same time, nor before its bounds are over. */
  readonly isAlone?: boolean;
  /** Within which old answers are no violation; `unpublished` counts under the policy `commit` alone. */
  readonly bounds?: readonly BoundName[];
  /** Begins the fault, holds it and mends everything; returns its details. */
  readonly run: (context: FaultContext) => Promise<string>;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
