import { UsageError, type GeneratorName } from '../options.js';
import { autocannonGenerator } from './autocannon.js';
import type { LoadGenerator } from './load.js';
import { wrkGenerator } from './wrk.js';

/**
 * `wrk` where it is on the path: it takes less of the machine from what is measured.
 * @throws UsageError when the one that is wanted is not there.
 */
export function loadGenerator(wanted: GeneratorName | undefined): LoadGenerator {
  if (wanted === 'autocannon') return autocannonGenerator;
  const wrk = wrkGenerator();
  if (wanted === 'wrk' && !wrk) {
    throw new UsageError(
      '--generator is "wrk", which is not on the path: install wrk, or leave it out.',
    );
  }
  return wrk ?? autocannonGenerator;
}
