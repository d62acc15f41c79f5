/** Reading the texts that a version store holds; version-store.ts says what they look like. */

const SETTLING = ' settling';

export interface Epoch {
  readonly token: string;
  /** The server process under which the epoch was made. */
  readonly node: string;
  /** Marks of writes under way may have been lost: nothing is trusted yet. */
  readonly isSettling: boolean;
}

export function parseEpoch(text: string): Epoch {
  const isSettling = text.endsWith(SETTLING);
  const [token = '', node = ''] = text.split(' ', 2);
  return { token, node, isSettling };
}

/** Whether a write is marked on the version: its answers are neither served nor stored. */
export function isInDoubt(version: string): boolean {
  return version.includes('!');
}
