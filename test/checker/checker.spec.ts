import { beforeEach, describe, expect, it } from 'vitest';
import { BOUNDS, Bounds } from './bounds.js';
import { ABSENT } from './history.js';
import { Checker, type Target } from './checker.js';
import { detailsOf, Territory, type Row } from './territory.js';

const none = (): string => '';
const user = (id: number | undefined, username: string, region = 't-a'): Row => ({
  id,
  username,
  region,
  email: `${username}@example.com`,
});

describe('the checker', () => {
  let reports: string[];
  let checker: Checker;
  let territory: Territory;

  beforeEach(() => {
    reports = [];
    checker = new Checker(
      ({ text }) => reports.push(text),
      () => 0,
    );
    territory = territoryOf('t', [user(1, 'one'), user(2, 'two', 't-b')]);
  });

  function territoryOf(name: string, rows: readonly Row[]): Territory {
    const made = new Territory(name);
    checker.add(made);
    made.propose(rows, 0);
    const ids = rows.map(({ username, id }) => [username, id] as const);
    checker.addIds(made, new Map(ids.filter((pair): pair is [string, number] => !!pair[1])));
    happened(made);
    return made;
  }

  function happened(written: Territory): void {
    written.history.acknowledge();
    written.settle();
  }

  const list = (region = 't-a'): Target => ({ kind: 'list', territory, region });
  const byId = (id: number): Target => ({ kind: 'user', id });
  const counts: Target = { kind: 'counts' };

  function read(target: Target, answer: string): void {
    checker.answer(checker.send(target), answer, none);
  }

  it('accepts the current state', () => {
    read(list(), '[{"id":1,"username":"one"}]');
    read(list('t-c'), '[]');
    read(byId(2), detailsOf(user(2, 'two', 't-b')));
    read(byId(77), ABSENT);
    read(counts, '[{"region":"t-a","users":1},{"region":"t-b","users":1}]');
    expect(reports).toEqual([]);
    expect(checker.checked).toBe(5);
  });

  it('catches an old list after the write is acknowledged, and reports it', () => {
    territory.propose([user(1, 'ONE'), user(2, 'two', 't-b')], 5);
    read(list(), '[{"id":1,"username":"one"}]');
    happened(territory);
    expect(reports).toEqual([]);
    read(list(), '[{"id":1,"username":"one"}]');
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatch(/region t-a of t answered what no state from 2 to 2 has/);
    expect(reports[0]).toMatch(/the value of state 1, which ended with state 2/);
  });

  it('catches an old answer about one register after another has shown the new state', () => {
    territory.propose([user(1, 'one', 't-b'), user(2, 'two', 't-b')], 5);
    read(list(), '[]');
    expect(reports).toEqual([]);
    read(byId(1), detailsOf(user(1, 'one')));
    read(counts, '[{"region":"t-a","users":1},{"region":"t-b","users":1}]');
    expect(reports).toHaveLength(2);
  });

  it('catches an answer that mixes two states', () => {
    const moved = [user(1, 'one', 't-b'), user(2, 'two', 't-b')];
    territory.propose(moved, 5);
    read(counts, '[{"region":"t-a","users":1},{"region":"t-b","users":2}]');
    expect(reports).toHaveLength(1);
  });

  it('catches a user that still exists after the deletion, or is missing before it', () => {
    read(byId(1), ABSENT);
    territory.propose([user(2, 'two', 't-b')], 5);
    happened(territory);
    read(byId(1), detailsOf(user(1, 'one')));
    read(byId(1), ABSENT);
    expect(reports).toHaveLength(2);
  });

  it('catches a refused write that is visible', () => {
    territory.propose([user(1, 'ONE'), user(2, 'two', 't-b')], 5);
    read(list(), '[{"id":1,"username":"ONE"}]');
    checker.revoke(territory, 'PATCH');
    expect(reports).toEqual([expect.stringMatching(/a write that has not happened: PATCH/)]);
    read(list(), '[{"id":1,"username":"ONE"}]');
    expect(reports).toHaveLength(2);
  });

  describe('of users whose ids are not known yet', () => {
    const added = (): Row[] => [...territory.rows, user(undefined, 'new')];

    it('waits, and accepts an answer that proves right', () => {
      territory.propose(added(), 5);
      read(list(), '[{"id":1,"username":"one"},{"id":9,"username":"new"}]');
      read(byId(9), detailsOf(user(9, 'new')));
      expect(checker.waiting).toBe(2);
      checker.addIds(territory, new Map([['new', 9]]));
      happened(territory);
      expect(checker.waiting).toBe(0);
      read(byId(9), ABSENT);
      expect(reports).toEqual([expect.stringMatching(/^user 9 of t answered/)]);
    });

    it('catches an answer that proves wrong', () => {
      territory.propose(added(), 5);
      read(list(), '[{"id":1,"username":"one"},{"id":8,"username":"new"}]');
      read(byId(9), detailsOf(user(9, 'old')));
      expect(reports).toEqual([]);
      checker.addIds(territory, new Map([['new', 9]]));
      expect(reports).toHaveLength(2);
    });

    it('catches a user that is seen and then missing', () => {
      territory.propose(added(), 5);
      read(byId(9), ABSENT);
      read(byId(9), detailsOf(user(9, 'new')));
      expect(reports).toEqual([]);
      read(byId(9), ABSENT);
      expect(reports).toHaveLength(1);
    });

    it('catches a user that no write has inserted, at the end', () => {
      read(byId(9), detailsOf(user(9, 'new')));
      expect(reports).toEqual([]);
      checker.close();
      expect(reports).toHaveLength(1);
    });
  });

  it('catches two answers about all regions that show two orders of the writes', () => {
    const other = territoryOf('s', [user(5, 'five', 's-a')]);
    const both = (inT: number, inS: number): string =>
      JSON.stringify([
        { region: 's-a', users: inS },
        { region: 't-a', users: inT },
        { region: 't-b', users: 1 },
      ]);
    territory.propose([...territory.rows, user(3, 'three')], 5);
    other.propose([...other.rows, user(6, 'six', 's-a')], 5);
    const reads = Array.from({ length: 3 }, () => checker.send(counts));
    const [first, second, third] = reads as [
      (typeof reads)[0],
      (typeof reads)[0],
      (typeof reads)[0],
    ];
    checker.answer(first, both(2, 1), none);
    checker.answer(second, both(2, 2), none);
    expect(reports).toEqual([]);
    checker.answer(third, both(1, 2), none);
    expect(reports).toEqual([expect.stringMatching(/two orders/)]);
  });

  it('allows an old answer within the bound of a fault, and not after it', () => {
    const { ms } = BOUNDS['older-data'];
    let nowMs = 0;
    const bounds = new Bounds(() => nowMs);
    checker = new Checker(
      ({ text }) => reports.push(text),
      () => nowMs,
      bounds,
    );
    territory = territoryOf('t', [user(1, 'one'), user(2, 'two', 't-b')]);
    territory.propose([user(1, 'ONE'), user(2, 'two', 't-b')], 5);
    happened(territory);
    nowMs = 100;
    const close = bounds.open('older-data');
    read(list(), '[{"id":1,"username":"one"}]');
    read(byId(1), ABSENT);
    read(counts, '[{"region":"t-a","users":2},{"region":"t-b","users":1}]');
    close();
    nowMs = 100 + ms;
    read(list(), '[{"id":1,"username":"one"}]');
    expect(reports).toEqual([]);
    expect(bounds.used.get('older-data')).toEqual({ answers: 4, latestMs: ms });
    nowMs = 101 + ms;
    read(list(), '[{"id":1,"username":"one"}]');
    expect(reports).toHaveLength(1);
  });
});
