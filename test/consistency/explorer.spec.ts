/**
 * The protocol under every order of its steps (explorer/explore.ts): the right one gives no wrong
 * answer, and each variant that leaves one rule out gives one.
 */
import { describe, expect, it } from '@jest/globals';
import type { Configuration, Rules } from './explorer/configuration.js';
import { configuration, CONFIGURATIONS } from './explorer/configurations.js';
import { RIGHT } from './explorer/rules.js';
import { explore } from './explorer/explore.js';
import { AutoBeginWriter } from './explorer/variants/auto-begin.js';
import { EpochIgnored, EpochNoSettle } from './explorer/variants/epochs.js';
import { AfterOnly, BeforeOnly, NoMark } from './explorer/variants/marks.js';
import { NobodyWrites } from './explorer/variants/settling.js';
import { StampAfterReader } from './explorer/variants/stamp-after.js';
import { Counter, MissingValid } from './explorer/variants/versions.js';

const LIMIT_MS = 240_000;
const FIRST_STATES = 1_000;

type Given = Partial<Omit<Configuration, 'name' | 'rules'>>;

interface Variant {
  readonly name: string;
  readonly rules: Partial<Rules>;
  readonly given: Given;
}

/** What has to happen for the rule to matter. */
const RESTORED: Given = { faults: ['restart from snapshot'], mostFaults: 1 };
const EMPTIED: Given = { faults: ['restart empty'], mostFaults: 1 };
const EVICTED: Given = { faults: ['version evicted'], mostFaults: 1, keepsEntries: true };
const EXPIRING: Given = { leasesRunOut: true };

const variants: readonly Variant[] = [
  { name: 'stamp-after', rules: { reader: StampAfterReader }, given: {} },
  { name: 'no-mark', rules: { store: (data) => new NoMark(data) }, given: {} },
  { name: 'before-only', rules: { store: (data) => new BeforeOnly(data) }, given: {} },
  { name: 'after-only', rules: { store: (data) => new AfterOnly(data) }, given: {} },
  { name: 'lease-guess', rules: { activity: () => new NobodyWrites() }, given: EXPIRING },
  {
    name: 'counter',
    rules: { store: (data) => new Counter(data) },
    given: EVICTED,
  },
  {
    name: 'missing-valid',
    rules: { store: (data, process) => new MissingValid(data, process) },
    given: EVICTED,
  },
  { name: 'epoch-ignored', rules: { store: (data) => new EpochIgnored(data) }, given: RESTORED },
  { name: 'epoch-no-settle', rules: { store: (data) => new EpochNoSettle(data) }, given: EMPTIED },
  { name: 'auto-begin', rules: { writer: AutoBeginWriter }, given: EXPIRING },
];

describe('the protocol', () => {
  it.each<{ name: string; readers: number; atLeast: number; given: Given }>([
    { name: 'two readers', readers: 2, atLeast: 2_000, given: {} },
    { name: 'a lease that runs out', readers: 1, atLeast: 500, given: EXPIRING },
    { name: 'a version dropped', readers: 1, atLeast: 500, given: EVICTED },
  ])(
    'gives no wrong answer in any order: $name',
    async ({ name, readers, atLeast, given }) => {
      const explored = await explore(configuration({ name, readers, ...given }));
      expect(explored).toMatchObject({ violation: undefined, isComplete: true });
      expect(explored.states).toBeGreaterThan(atLeast);
    },
    LIMIT_MS,
  );

  it.each(CONFIGURATIONS)(
    'gives no wrong answer in the first thousand moments: $name',
    async (given) => {
      const explored = await explore(given, { mostStates: FIRST_STATES });
      expect(explored.violation).toBeUndefined();
      expect(explored.isComplete || explored.states > FIRST_STATES).toBe(true);
    },
    LIMIT_MS,
  );
});

describe('a variant that leaves a rule out', () => {
  it.each(variants)(
    'is caught: $name',
    async ({ name, rules, given }) => {
      const explored = await explore(
        configuration({ name, readers: 1, ...given, rules: { ...RIGHT, ...rules } }),
      );
      expect(explored.violation?.at(-1)).toMatch(/^R\d .* answers .*; right would be /);
    },
    LIMIT_MS,
  );
});
