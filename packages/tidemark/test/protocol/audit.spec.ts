/** The auditor over stores in memory: which hits it audits, and which differences count. */
import { beforeEach, describe, expect, it } from 'vitest';
import { AnswerComparison } from '../../src/core/answer-comparison.js';
import { Auditor } from '../../src/core/auditor.js';
import type { ShadowDifference } from '../../src/core/ports/cache-events.js';
import type { Answer, ReadRequest } from '../../src/core/read-request.js';
import { regionNamesOf } from '../../src/core/region-names.js';
import { setUp } from './support/protocols.js';

let on: ReturnType<typeof setUp>;
let auditor: Auditor;
let audited: { difference: ShadowDifference; stamp: string; key: string }[];
let random: number;
let hasSpareConnection: boolean;
let areWritesWaiting: boolean | Error;
/** End the waits for the relay. */
let pauses: (() => void)[];

beforeEach(async () => {
  on = setUp();
  audited = [];
  pauses = [];
  random = 0;
  hasSpareConnection = true;
  areWritesWaiting = false;
  on.events.on('audited', (event) => audited.push(event));
  const comparison = new AnswerComparison({
    gate: on.gate,
    timers: {
      after: (_ms, then) => {
        pauses.push(then);
        return () => undefined;
      },
    },
    areWritesWaiting: async () => {
      if (areWritesWaiting instanceof Error) throw areWritesWaiting;
      return areWritesWaiting;
    },
    regionNames: regionNamesOf(false),
  });
  const parts = {
    comparison,
    events: on.events,
    random: () => random,
    hasSpareConnection: () => hasSpareConnection,
  };
  auditor = new Auditor(parts, 0.5);
  await on.read();
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const write = async (): Promise<void> => on.ended(await on.begin());

/** A hit, whose query then answers with these rows. */
async function hit(
  rows: string,
  { decode, ...overrides }: Partial<Answer> & Pick<ReadRequest, 'decode'> = {},
  whileRunning?: () => unknown,
) {
  let runs = 0;
  const request = on.request({
    decode,
    run: async () => {
      runs += 1;
      await whileRunning?.();
      return { body: Buffer.from(rows), rowCount: 1, empty: false, headers: {}, ...overrides };
    },
  });
  const outcome = await on.reads.read(request);
  if (outcome.source !== 'hit') throw new Error(`The read was a ${outcome.source}.`);
  auditor.hit(request, outcome.entry);
  const runsAtOnce = runs;
  await turn();
  await turn();
  return { runsAtOnce, runs: () => runs };
}

/** Ends one wait for the relay. */
async function relayed(): Promise<void> {
  for (const end of pauses.splice(0)) end();
  await turn();
}

const differences = (): ShadowDifference[] => audited.map(({ difference }) => difference);

describe('audit', () => {
  it('an equal answer: no difference, after the hit was answered', async () => {
    const { runsAtOnce, runs } = await hit('rows 0');
    expect([runsAtOnce, runs(), differences()]).toEqual([0, 1, ['none']]);
  });

  it('another answer: the difference with key and stamp, once no write waits and the stamp still holds', async () => {
    await hit('rows 1');
    expect(audited).toEqual([]);
    await relayed();
    expect(audited).toEqual([
      expect.objectContaining({
        query: 'users.page',
        key: 'key',
        difference: 'content',
        stamp: expect.stringMatching(/^public\.users@.+\nregion=[0-9a-f]{6}:.+\nregion\?:.+\n/),
      }),
    ]);
    expect(audited[0]?.stamp).not.toContain('US');
  });

  it.each([
    ['rows', [{ id: 1 }, { id: 2 }], [{ id: 2 }, { id: 1 }]],
    ['nested rows', [{ id: 1, items: [7, 8] }], [{ id: 1, items: [8, 7] }]],
    [
      'rows and nested rows',
      [{ items: [7, 8] }, { items: [5, 6] }],
      [{ items: [6, 5] }, { items: [8, 7] }],
    ],
    ['rows beside their number', [[{ id: 1 }, { id: 2 }], 2], [[{ id: 2 }, { id: 1 }], 2]],
    [
      'nested rows of one row',
      { items: [{ id: 7 }, { id: 8 }] },
      { items: [{ id: 8 }, { id: 7 }] },
    ],
    ['rows in a map', new Map([[1, [7, 8]]]), new Map([[1, [8, 7]]])],
  ])('%s in another order: a difference in the order', async (_name, stored, now) => {
    await hit('rows 1', { decode: (body) => (body.equals(Buffer.from('rows 1')) ? now : stored) });
    await relayed();
    expect(differences()).toEqual(['order']);
  });

  it.each([
    ['another nested row', [{ items: [7, 8] }], [{ items: [8, 9] }]],
    [
      'a nested row under another row',
      [
        { id: 1, items: [7] },
        { id: 2, items: [8] },
      ],
      [
        { id: 1, items: [8] },
        { id: 2, items: [7] },
      ],
    ],
    ['a nested row twice', [{ items: [7, 8] }], [{ items: [8, 8, 7] }]],
    ['bytes in another order', Buffer.from([7, 8]), Buffer.from([8, 7])],
  ])('%s: a difference in the content', async (_name, stored, now) => {
    await hit('rows 1', { decode: (body) => (body.equals(Buffer.from('rows 1')) ? now : stored) });
    await relayed();
    expect(differences()).toEqual(['content']);
  });

  it('a write that ends the answer while the query runs: nothing', async () => {
    await hit('rows 1', {}, write);
    await relayed();
    expect(audited).toEqual([]);
  });

  it('a write from outside that is published after the query: nothing, however long it waits', async () => {
    areWritesWaiting = true;
    await hit('rows 1');
    for (let times = 0; times < 5; times += 1) await relayed();
    expect([audited, pauses.length]).toEqual([[], 1]);
    await write();
    areWritesWaiting = false;
    await relayed();
    expect([audited, pauses.length]).toEqual([[], 0]);
  });

  it('writes that wait for half a minute, or a database that does not say: nothing', async () => {
    areWritesWaiting = true;
    await hit('rows 1');
    for (let times = 0; times < 30; times += 1) await relayed();
    expect([audited, pauses.length]).toEqual([[], 0]);
    areWritesWaiting = new Error('away');
    await hit('rows 1');
    await relayed();
    expect([audited, pauses.length]).toEqual([[], 0]);
  });

  it('a failing query, or an answer that must not be stored: nothing', async () => {
    await hit('rows 1', {}, () => Promise.reject(new Error('away')));
    await hit('rows 1', { refusal: 'transaction' });
    await relayed();
    expect(audited).toEqual([]);
  });

  it('a random number of the share or more: the query does not run', async () => {
    random = 0.5;
    expect((await hit('rows 1')).runs()).toBe(0);
    random = 0.499;
    expect((await hit('rows 1')).runs()).toBe(1);
  });

  it('busy connections: the query does not run, also later', async () => {
    hasSpareConnection = false;
    const { runs } = await hit('rows 0');
    hasSpareConnection = true;
    await turn();
    expect(runs()).toBe(0);
  });

  it('two audits at once: a third one does not run, also later', async () => {
    let end = (): void => undefined;
    const running = new Promise<void>((resolve) => (end = resolve));
    await hit('rows 0', {}, () => running);
    await hit('rows 0', {}, () => running);
    const third = await hit('rows 0');
    end();
    await turn();
    expect([third.runs(), differences()]).toEqual([0, ['none', 'none']]);
    expect((await hit('rows 0')).runs()).toBe(1);
  });
});
