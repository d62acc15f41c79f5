/** The rows of the table, in order. */
import {
  longOutage,
  readerCutOff,
  shortOutage,
  writerCutOff,
  writerCutOffByDefault,
} from './outages.js';
import { overtakenLoad } from './overtaken-load.js';
import { killedAfterCommit, slowClock } from './processes.js';
import { restartedEmpty, restoredSnapshot, validityKeyLost } from './redis-data.js';
import type { Scenario } from './scenario.js';
import { staleOption } from './stale-option.js';
import { ownWrite, rolledBackRead } from './transactions.js';
import { bulkUpdate, cascade, rawUpdate } from './write-paths.js';

export const SCENARIOS: readonly Scenario[] = [
  overtakenLoad,
  rolledBackRead,
  ownWrite,
  validityKeyLost,
  restartedEmpty,
  restoredSnapshot,
  bulkUpdate,
  rawUpdate,
  cascade,
  shortOutage,
  longOutage,
  writerCutOff,
  readerCutOff,
  killedAfterCommit,
  slowClock,
  staleOption,
];

/** Run for Tidemark alone and reported under the table. */
export const FOOTNOTES: readonly Scenario[] = [writerCutOffByDefault];
