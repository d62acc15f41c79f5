/** Variants of the protocol that leave one rule out, and the configurations that show it. */
import type { Configuration, Rules } from '../configuration.js';
import { ALONE, configuration } from '../configurations.js';
import { RIGHT } from '../rules.js';
import { TO_ALL_TABLES } from '../two-buckets.js';
import { AutoBeginWriter } from './auto-begin.js';
import { OutageOfAnotherReader, SchemaInOneBucketWriter } from './buckets.js';
import { EpochIgnored, EpochNoSettle } from './epochs.js';
import { AfterOnly, BeforeOnly, NoMark } from './marks.js';
import { NoWritersKnown } from './settling.js';
import { StampAfterReader } from './stamp-after.js';
import { Counter, LossUnnoticed, MarkNotMet, MissingValid } from './versions.js';

export const ONE_READER: Partial<Configuration> = { readers: 1, reads: 2 };
export const EXPIRING: Partial<Configuration> = { readers: 1, reads: 3, leasesRunOut: true };
export const EVICTING: Partial<Configuration> = {
  ...ONE_READER,
  faults: ['version evicted'],
  maxFaults: 1,
};

export const LOSING: Partial<Configuration> = {
  ...ONE_READER,
  faults: ['all but the epoch lost'],
  maxFaults: 1,
};

export const VARIANTS: readonly Configuration[] = [
  variant('stamp-after', { reader: StampAfterReader }, ONE_READER),
  variant('no-mark', { store: (data) => new NoMark(data) }, ONE_READER),
  variant('before-only', { store: (data) => new BeforeOnly(data) }, ONE_READER),
  variant('after-only', { store: (data) => new AfterOnly(data) }, ONE_READER),
  variant('lease-guess', { activity: () => new NoWritersKnown() }, EXPIRING),
  variant('counter', { store: (data) => new Counter(data) }, EVICTING),
  variant('missing-valid', { store: (data, process) => new MissingValid(data, process) }, EVICTING),
  variant('mark-not-met', { store: (data) => new MarkNotMet(data) }, ONE_READER),
  variant('loss-unnoticed', { store: (data) => new LossUnnoticed(data) }, LOSING),
  variant(
    'epoch-ignored',
    { store: (data) => new EpochIgnored(data) },
    { ...ALONE, reads: 2, faults: ['restart from snapshot'], maxFaults: 1 },
  ),
  variant(
    'epoch-no-settle',
    { store: (data) => new EpochNoSettle(data) },
    { ...ALONE, reads: 2, faults: ['restart empty'], maxFaults: 1 },
  ),
  variant('auto-begin', { writer: AutoBeginWriter }, EXPIRING),
  variant('schema-in-one-bucket', { writer: SchemaInOneBucketWriter }, TO_ALL_TABLES),
  variant(
    'outage-of-another',
    { reader: OutageOfAnotherReader },
    { ...TO_ALL_TABLES, faults: ['outage of all'], faultyBuckets: [1], maxFaults: 1 },
  ),
];

function variant(
  name: string,
  rules: Partial<Rules>,
  given: Partial<Configuration>,
): Configuration {
  return configuration({ ...given, name, rules: { ...RIGHT, ...rules } });
}
