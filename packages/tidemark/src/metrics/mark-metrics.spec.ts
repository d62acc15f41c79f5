import { describe, expect, it } from 'vitest';
import { MarkSurvey } from './mark-metrics.js';

const LEASE_MS = 5_000;

/** A store that answers by `answer`, and a clock and a timer of the test. */
function surveyOf(answer: () => Promise<readonly { writeId: string; leaseLeftMs: number }[]>) {
  let nowMs = 0;
  let asked = 0;
  const late: (() => void)[] = [];
  const store = {
    tables: () => Promise.resolve(['public.users', 'public.orders']),
    marks: async () => {
      asked++;
      return (await answer()).map((mark) => ({ ...mark, backendPid: 1 }));
    },
  };
  const timers = {
    after: (_: number, then: () => void) => {
      late.push(then);
      return () => undefined;
    },
  };
  return {
    survey: new MarkSurvey(store, LEASE_MS, { nowMs: () => nowMs }, timers),
    asked: () => asked,
    pass: (ms: number) => (nowMs += ms),
    endWait: () => late.forEach((then) => then()),
  };
}

describe('the survey of marks', () => {
  it('counts a write on two tables once, with the age of the oldest lease', async () => {
    const { survey } = surveyOf(() =>
      Promise.resolve([
        { writeId: 'a', leaseLeftMs: 4_000 },
        { writeId: 'b', leaseLeftMs: -500 },
      ]),
    );
    expect(await survey.latest()).toEqual({ count: 2, oldestMs: 5_500 });
  });

  it('asks the store once in ten seconds, however often it is read', async () => {
    const { survey, asked, pass } = surveyOf(() => Promise.resolve([]));
    expect(await survey.latest()).toEqual({ count: 0, oldestMs: 0 });
    pass(9_999);
    await Promise.all([survey.latest(), survey.latest()]);
    expect(asked()).toBe(2);
    pass(1);
    await survey.latest();
    expect(asked()).toBe(4);
  });

  it('knows nothing if the store fails or does not answer in time', async () => {
    const failing = surveyOf(() => Promise.reject(new Error('away')));
    expect(await failing.survey.latest()).toBeUndefined();
    const hanging = surveyOf(() => new Promise(() => undefined));
    const latest = hanging.survey.latest();
    hanging.endWait();
    expect(await latest).toBeUndefined();
  });
});
