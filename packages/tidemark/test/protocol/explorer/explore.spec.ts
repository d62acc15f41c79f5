/** The explorer itself: its reduction leaves out no wrong answer, and it catches wrong answers. */
import { describe, expect, it } from 'vitest';
import type { Configuration } from './configuration.js';
import { ALONE, configuration } from './configurations.js';
import { explore } from './explore.js';
import { Linearizability } from './linearizability.js';
import { RIGHT } from './rules.js';
import { TO_ALL_TABLES } from './two-buckets.js';
import { AfterOnly } from './variants/marks.js';

describe('states with one fingerprint', () => {
  it.each<{ what: string; given: Partial<Configuration> }>([
    { what: 'leases', given: { ...ALONE, reads: 1, leasesRunOut: true } },
    { what: 'faults', given: { ...ALONE, reads: 1, faults: ['writer crashes'], maxFaults: 1 } },
    { what: 'shared entries', given: { readers: 1, reads: 1 } },
    { what: 'a write between reads', given: { ...ALONE, reads: 2 } },
    { what: 'two buckets', given: { ...TO_ALL_TABLES, reads: 1 } },
  ])(
    'have the same successors: the full search finds no other answers ($what)',
    async ({ given }) => {
      const pruned = await explore(configuration(given));
      const whole = await explore(configuration(given), { revisits: true });
      expect(whole.executions).toBeGreaterThan(pruned.executions * 2);
      expect(whole.answers).toEqual(pruned.answers);
      expect(whole.states).toBe(pruned.states);
      expect(whole.violation).toBe(pruned.violation);
    },
  );

  it('give wrong answers both with and without reduction', async () => {
    const broken = configuration({
      ...{ readers: 1, reads: 2 },
      rules: { ...RIGHT, store: (data) => new AfterOnly(data) },
    });
    const runs = [{ revisits: true }, { breadthFirst: true }, {}];
    for (const options of runs) expect((await explore(broken, options)).violation).toBeDefined();
  });
});

describe('Linearizability', () => {
  const show = (state: number): string => String(state % 2);

  function held(): { states: number[]; log: Linearizability<number> } {
    const states = [0];
    return { states, log: new Linearizability(states, show) };
  }

  it('lets a read that overlaps a write answer either state', () => {
    const { states, log } = held();
    states.push(1);
    log.answered({ reader: 'R', answerOf: show, answer: '0', floor: 0 });
    log.answered({ reader: 'R', answerOf: show, answer: '1', floor: 0 });
    expect(log.violation).toBeUndefined();
  });

  it('allows no answer from before an acknowledged write', () => {
    const { states, log } = held();
    states.push(1);
    log.acknowledged(1);
    log.answered({ reader: 'R', answerOf: show, answer: '0', floor: log.floor });
    expect(log.violation).toBe('R answers 0; right would be 1 (state 1: 1)');
  });

  it('allows no answer older than another read has shown', () => {
    const { states, log } = held();
    states.push(1);
    log.answered({ reader: 'R1', answerOf: show, answer: '1', floor: 0 });
    log.answered({ reader: 'R2', answerOf: show, answer: '0', floor: log.floor });
    expect(log.violation).toMatch(/^R2 answers 0/);
  });

  it('gives a read the earliest state that fits', () => {
    const { states, log } = held();
    states.push(1, 2);
    log.answered({ reader: 'R1', answerOf: show, answer: '0', floor: 0 });
    expect(log.floor).toBe(0);
  });
});
