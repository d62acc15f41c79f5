/**
 * Checks that answers over several territories fit into one order of all writes.
 *
 * Each such answer shows the state of every territory at one time. One of two answers is the earlier: it cannot show an
 * older state than the other in one territory and a newer one in another, independent of the times of the two reads. A
 * state is known as a range (history.ts); only certain orders of the ranges count.
 */

export interface StateRange {
  readonly first: number;
  readonly last: number;
}

/** The states one answer shows, by territory. */
export type Spread = ReadonlyMap<string, StateRange>;

/** Two territories, about whose order two answers disagree. */
export interface Disagreement {
  readonly older: string;
  readonly newer: string;
}

/** How the states of `left` contradict those of `right`; `undefined` when they do not. */
export function disagreement(left: Spread, right: Spread): Disagreement | undefined {
  let older: string | undefined;
  let newer: string | undefined;
  for (const [territory, one] of left) {
    const other = right.get(territory);
    if (!other) continue;
    if (one.last < other.first) older = territory;
    if (other.last < one.first) newer = territory;
  }
  return older !== undefined && newer !== undefined ? { older, newer } : undefined;
}
