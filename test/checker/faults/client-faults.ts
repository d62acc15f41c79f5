import type { Fault } from './fault.js';

export const clientFaults: readonly Fault[] = [
  {
    kind: 'client gone in the middle of a write',
    part: 'client',
    isQuick: true,
    run: async ({ random, writers, hold }) => {
      const writer = random.pick(writers);
      const share = random.chance(0.25) ? random.next() * 0.9 : 1;
      const afterMs = random.integer(0, 12);
      writer.cutNext({ share, afterMs });
      for (let waits = 0; writer.hasCutAhead && waits < 50; waits += 1) await hold(100);
      return share === 1 ? `${afterMs} ms after the whole request` : 'before the whole request';
    },
  },
];
