import type { TableVersionNames } from './ports/version-store.js';

/** What an answer depends on. */
export interface ReadSet {
  readonly tables: readonly TableVersionNames[];
  /** With this many rows every key asked for is there; `undefined`: no number of rows proves it. */
  readonly completeRowCount: number | undefined;
}
