/**
 * Variants of the protocol that leave one rule out. Each is caught, by a run than which none is
 * shorter; the runs are printed, since each says what its rule is for.
 */
import { describe, expect, it } from '@jest/globals';
import type { Configuration, Rules } from './configuration.js';
import { ALONE, configuration } from './configurations.js';
import { explore } from './explore.js';
import { RIGHT } from './rules.js';
import { AutoBeginWriter } from './variants/auto-begin.js';
import { EpochIgnored, EpochNoSettle } from './variants/epochs.js';
import { AfterOnly, BeforeOnly, NoMark } from './variants/marks.js';
import { NobodyWrites } from './variants/settling.js';
import { StampAfterReader } from './variants/stamp-after.js';
import { Counter, MissingValid } from './variants/versions.js';

interface Variant {
  readonly name: string;
  readonly rules: Partial<Rules>;
  /** What has to be possible for the rule to matter. */
  readonly given: Partial<Configuration>;
}

const ONE_READER: Partial<Configuration> = { readers: 1, reads: 2 };
const EXPIRING: Partial<Configuration> = { readers: 1, reads: 3, leasesRunOut: true };
const EVICTING: Partial<Configuration> = {
  ...ONE_READER,
  faults: ['version evicted'],
  mostFaults: 1,
};

const VARIANTS: readonly Variant[] = [
  { name: 'stamp-after', rules: { reader: StampAfterReader }, given: ONE_READER },
  { name: 'no-mark', rules: { store: (data) => new NoMark(data) }, given: ONE_READER },
  { name: 'before-only', rules: { store: (data) => new BeforeOnly(data) }, given: ONE_READER },
  { name: 'after-only', rules: { store: (data) => new AfterOnly(data) }, given: ONE_READER },
  { name: 'lease-guess', rules: { activity: () => new NobodyWrites() }, given: EXPIRING },
  { name: 'counter', rules: { store: (data) => new Counter(data) }, given: EVICTING },
  {
    name: 'missing-valid',
    rules: { store: (data, process) => new MissingValid(data, process) },
    given: EVICTING,
  },
  {
    name: 'epoch-ignored',
    rules: { store: (data) => new EpochIgnored(data) },
    given: { ...ALONE, reads: 2, faults: ['restart from snapshot'], mostFaults: 1 },
  },
  {
    name: 'epoch-no-settle',
    rules: { store: (data) => new EpochNoSettle(data) },
    given: { ...ALONE, reads: 2, faults: ['restart empty'], mostFaults: 1 },
  },
  { name: 'auto-begin', rules: { writer: AutoBeginWriter }, given: EXPIRING },
];

describe('a variant of the protocol is caught', () => {
  it.each(VARIANTS)('$name', async ({ name, rules, given }) => {
    const broken = configuration({ ...given, name, rules: { ...RIGHT, ...rules } });
    const { violation, states } = await explore(broken, { breadthFirst: true });
    expect(violation?.at(-1)).toMatch(/^R1 \(US, hit\) answers \[1=0\]; right would be \[1=1\]/);
    process.stdout.write(`${name} (${states} states):\n  ${violation?.join('\n  ')}\n`);
  });

  // Where Redis restarts, configurations.ts has the same with all rules in place.
  it.each([ONE_READER, EXPIRING, EVICTING])('for the rule it leaves out alone', async (given) => {
    const { violation, isComplete } = await explore(configuration(given));
    expect({ violation, isComplete }).toEqual({ violation: undefined, isComplete: true });
  });
});
