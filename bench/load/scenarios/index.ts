import { entries } from './entries.js';
import { gzip } from './gzip.js';
import { hits } from './hits.js';
import { l1Memory } from './l1-memory.js';
import { miss } from './miss.js';
import { notModified } from './not-modified.js';
import { outside } from './outside.js';
import { page } from './page.js';
import { patch } from './patch.js';
import { replicas } from './replicas.js';
import { save } from './save.js';
import type { Scenario } from './scenario.js';
import { stampede } from './stampede.js';
import { writes } from './writes.js';
import { zipf } from './zipf.js';

/** In the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [
  hits,
  gzip,
  notModified,
  miss,
  patch,
  save,
  outside,
  stampede,
  replicas,
  zipf,
  writes,
  entries,
  l1Memory,
  page,
];
