import { expect, it } from 'vitest';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BatchLoader } from './batch-loader.js';

interface Question {
  readonly name: string;
}

const [A, B] = [{ name: 'a' }, { name: 'b' }];

function setUp(isAway = false) {
  const trips: (readonly Question[])[] = [];
  const batch = new BatchLoader<Question, string>(async (questions) => {
    trips.push(questions);
    if (isAway) throw new Error('away');
    return ({ name }) => `answer to ${name}`;
  }, setImmediate);
  return { trips, batch };
}

/** The number of simultaneous callers that continue in each turn of the event loop, oldest first. */
async function groupsOf(asked: readonly Question[]): Promise<number[]> {
  const { batch, trips } = setUp();
  let turn = 0;
  const turns = asked.map(async (question) => {
    expect(await batch.ask(question)).toBe(`answer to ${question.name}`);
    return turn;
  });
  while (turn < 10) {
    await nextTurn();
    turn += 1;
  }
  expect(trips).toHaveLength(1);
  const inTurns = await Promise.all(turns);
  expect(inTurns).toEqual(inTurns.toSorted((a, b) => a - b));
  return [...new Set(inTurns)].map((one) => inTurns.filter((other) => other === one).length);
}

it('sends the questions of one turn in one round trip, each question once', async () => {
  const { batch, trips } = setUp();
  const answers = await Promise.all([batch.ask(A), batch.ask(B), batch.ask(A)]);
  expect(answers).toEqual(['answer to a', 'answer to b', 'answer to a']);
  expect(trips).toEqual([[A, B]]);
  await batch.ask(A);
  expect(trips).toEqual([[A, B], [A]]);
});

it('returns one promise for the same question in one turn, and another one in a later turn', async () => {
  const { batch } = setUp();
  const [first, second] = [batch.ask(A), batch.ask(A)];
  expect(second).toBe(first);
  await first;
  expect(batch.ask(A)).not.toBe(first);
});

it('lets 32 callers continue in one turn', async () => {
  expect(await groupsOf(Array.from({ length: 32 }, () => A))).toEqual([32]);
});

it('lets 100 callers continue in order, 32 per turn, for any questions', async () => {
  const same = Array.from({ length: 100 }, () => A);
  expect(await groupsOf(same)).toEqual([32, 32, 32, 4]);
  expect(await groupsOf(same.map((_, i) => ({ name: String(i) })))).toEqual([32, 32, 32, 4]);
});

it('rejects for all callers if the round trip fails', async () => {
  const { batch } = setUp(true);
  const all = await Promise.allSettled(Array.from({ length: 40 }, () => batch.ask(A)));
  expect(all.every(({ status }) => status === 'rejected')).toBe(true);
});
