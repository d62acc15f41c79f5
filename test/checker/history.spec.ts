import { describe, expect, it } from 'vitest';
import { ABSENT, History } from './history.js';

const LIST = 'list';
const OTHER = 'other';

/** States 0 to 2 of two registers, all acknowledged: a0, a1, a2 and b0, b0, b2. */
function twoWrites(): History {
  const history = new History(
    't',
    new Map([
      [LIST, 'a0'],
      [OTHER, 'b0'],
    ]),
  );
  history.propose(new Map([[LIST, 'a1']]), 10);
  history.acknowledge();
  history.propose(
    new Map([
      [LIST, 'a2'],
      [OTHER, 'b2'],
    ]),
    20,
  );
  history.acknowledge();
  return history;
}

function read(history: History, answer: string, floor = history.floor, register = LIST): string {
  const finding = history.check(register, answer, floor, history.ceiling);
  return finding.kind === 'fits' ? `${finding.first}-${finding.last}` : finding.kind;
}

describe('a history', () => {
  it('accepts only the newest value once the write is acknowledged', () => {
    const history = twoWrites();
    expect(read(history, 'a2')).toBe('2-2');
    expect(read(history, 'a1')).toBe('violation');
    expect(read(history, 'a0')).toBe('violation');
    expect(read(history, 'never')).toBe('violation');
  });

  it('accepts an older value of a read that was sent before the write was acknowledged', () => {
    const history = twoWrites();
    expect(read(history, 'a1', 1)).toBe('1-1');
    expect(read(history, 'a2', 1)).toBe('2-2');
    expect(read(history, 'a0', 1)).toBe('violation');
    expect(read(history, 'b0', 0, OTHER)).toBe('0-1');
  });

  it('accepts both values while a write is under way, and none that was not sent', () => {
    const history = twoWrites();
    history.propose(new Map([[LIST, 'a3']]), 30);
    expect(read(history, 'a2')).toBe('2-2');
    expect(read(history, 'a3')).toBe('3-3');
    expect(history.check(LIST, 'a3', 2, 2)).toEqual({ kind: 'violation' });
  });

  it('never goes back behind a state that a read has shown, in any register', () => {
    const history = twoWrites();
    history.propose(
      new Map([
        [LIST, 'a3'],
        [OTHER, 'b3'],
      ]),
      30,
    );
    const sentBefore = history.floor;
    history.prove(3);
    expect(read(history, 'a2')).toBe('violation');
    expect(read(history, 'b2', history.floor, OTHER)).toBe('violation');
    // The two reads were under way at the same time.
    expect(read(history, 'b2', sentBefore, OTHER)).toBe('2-2');
  });

  it('lets a recurring value prove only the oldest state that has it', () => {
    const history = twoWrites();
    for (const value of ['[]', 'a4', '[]']) {
      history.propose(new Map([[LIST, value]]), 30);
      history.acknowledge();
    }
    expect(read(history, '[]', 2)).toBe('3-5');
    expect(read(history, '[]')).toBe('5-5');
    expect(read(history, 'a4')).toBe('violation');
  });

  it('keeps the interval open for as long as the outcome is unknown', () => {
    const history = twoWrites();
    history.propose(new Map([[LIST, 'a3']]), 30);
    for (let reads = 0; reads < 3; reads += 1) expect(read(history, 'a2')).toBe('2-2');
    expect(read(history, 'a3')).toBe('3-3');
    history.prove(3);
    expect(read(history, 'a2')).toBe('violation');
  });

  it('removes a write that has not happened', () => {
    const history = twoWrites();
    history.propose(new Map([[LIST, 'lost']]), 30);
    expect(history.revoke()).toBe(true);
    expect(read(history, 'lost')).toBe('violation');
    expect(read(history, 'a2')).toBe('2-2');
    history.propose(new Map([[LIST, 'a3']]), 40);
    history.acknowledge();
    expect(read(history, 'a3')).toBe('3-3');
  });

  it('knows when a read has seen a write that did not happen', () => {
    const history = twoWrites();
    history.propose(new Map([[LIST, 'lost']]), 30);
    history.prove(3);
    expect(history.revoke()).toBe(false);
    expect(history.floor).toBe(2);
  });

  it('defers a value that is not known yet, and checks it once it is known', () => {
    const history = twoWrites();
    history.propose(new Map([[LIST, undefined]]), 30);
    expect(read(history, 'a3')).toBe('deferred');
    expect(read(history, 'a2')).toBe('2-2');
    history.acknowledge();
    expect(read(history, 'a2')).toBe('deferred');
    history.put(new Map([[LIST, 'a3']]), 40);
    expect(read(history, 'a3')).toBe('3-3');
    expect(read(history, 'a2')).toBe('violation');
  });

  it('treats an unwritten register as absent', () => {
    const history = twoWrites();
    expect(read(history, ABSENT, 0, 'user 1')).toBe('0-2');
    expect(read(history, 'a user', 0, 'user 1')).toBe('violation');
    history.propose(new Map([['user 1', 'a user']]), 30);
    history.acknowledge();
    expect(read(history, ABSENT, 2, 'user 1')).toBe('2-2');
    expect(read(history, ABSENT, history.floor, 'user 1')).toBe('violation');
  });

  it('forgets only states that no read can need any more', () => {
    const history = twoWrites();
    for (let state = 3; state < 100; state += 1) {
      history.propose(new Map([[LIST, `a${state}`]]), 1_000_000 + state);
      history.acknowledge();
    }
    expect(read(history, 'a3', 3)).toBe('3-3');
    history.propose(new Map([[LIST, 'last']]), 2_000_000);
    expect(history.versions(LIST).length).toBeLessThan(5);
    expect(read(history, 'a99', 99)).toBe('99-99');
  });
});
