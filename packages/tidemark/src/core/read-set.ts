import type { TableVersionNames } from './ports/version-store.js';

/** The tables and regions that an answer depends on. */
export interface ReadSet {
  readonly tables: readonly TableVersionNames[];
  /** With this many rows, every requested key has its row; `undefined`: no row count proves that. */
  readonly completeRowCount: number | undefined;
}
