import { tidemark, tidemarkModules } from '../contenders/index.js';
import type { Measures } from '../report/targets.js';

/** @param measured tells it by the contender's id, where that took part. */
export function ofBoth(measured: (id: string) => number | undefined): Measures {
  return { modules: measured(tidemarkModules.id), service: measured(tidemark.id) };
}
