/** Shadow mode over stores in memory: what is compared, and which differences count. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ShadowDifference } from '../../src/core/ports/cache-events.js';
import { AnswerComparison } from '../../src/core/answer-comparison.js';
import { regionNamesOf } from '../../src/core/region-names.js';
import { ShadowReads } from '../../src/core/shadow-reads.js';
import type { Answer } from '../../src/core/read-request.js';
import { setUp } from './support/protocols.js';

let on: ReturnType<typeof setUp>;
let shadow: ShadowReads<never>;
let compared: ShadowDifference[];
/** Ends the wait for the relay. */
let relayed: (() => void)[];

beforeEach(async () => {
  on = setUp();
  compared = [];
  relayed = [];
  on.events.on('shadowCompared', ({ difference }) => compared.push(difference));
  const timers = {
    after: (_ms: number, then: () => void) => {
      relayed.push(then);
      return () => undefined;
    },
  };
  const { reads, gate, events } = on;
  const comparison = new AnswerComparison({
    gate,
    timers,
    areWritesWaiting: () => Promise.resolve(false),
    regionNames: regionNamesOf(false),
  });
  shadow = new ShadowReads({ protocol: reads as never, comparison, events });
  await read('[1,2]');
});

async function read(rows: string, overrides: Partial<Answer> = {}, whileRunning?: () => unknown) {
  const outcome = await shadow.read(
    on.request({
      decode: (body) => JSON.parse(body.toString()) as unknown,
      run: async () => {
        await whileRunning?.();
        return { body: Buffer.from(rows), rowCount: 2, empty: false, headers: {}, ...overrides };
      },
    }),
  );
  const { body } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
  return [outcome.source, outcome.source === 'bypass' && outcome.reason, body.toString()];
}

const write = async (): Promise<void> => on.ended(await on.begin());

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** After the wait for the relay. */
async function found(): Promise<typeof compared> {
  await turn();
  for (const end of relayed.splice(0)) end();
  await turn();
  return compared;
}

describe('shadow mode', () => {
  it.each<[string, string, Partial<Answer>, ShadowDifference]>([
    ['equal', '[1,2]', {}, 'none'],
    ['equal in content', '[1, 2]', {}, 'none'],
    ['other in content', '[1,3]', {}, 'content'],
    ['other in order', '[2,1]', {}, 'order'],
    ['other in headers', '[1,2]', { headers: { link: '<x>' } }, 'headers'],
  ])(
    'serves the answer of the database, which is %s',
    async (_how, rows, overrides, difference) => {
      expect(await read(rows, overrides)).toEqual(['bypass', 'shadow', rows]);
      expect(await found()).toEqual([difference]);
    },
  );

  it('compares nothing if a write ended the stored answer while the query ran', async () => {
    await read('[1,3]', {}, write);
    expect(await found()).toEqual([]);
  });

  it('counts no difference if a write from outside is published shortly after', async () => {
    await read('[1,3]');
    await turn();
    await write();
    expect(await found()).toEqual([]);
  });

  it('compares nothing with an answer that must not be stored', async () => {
    await read('[1,3]', { refusal: 'transaction' });
    expect(await found()).toEqual([]);
  });

  it('stores answers, and runs the query of each request that shares a fill', async () => {
    await write();
    const all = await Promise.all([read('[4]'), read('[4]')]);
    expect(all).toEqual([
      ['miss', false, '[4]'],
      ['bypass', 'shadow', '[4]'],
    ]);
  });
});
