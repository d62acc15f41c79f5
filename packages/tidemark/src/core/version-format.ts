/** Parses the texts that a version store holds (format: version-store.ts). */

const SETTLING = ' settling';

export interface Epoch {
  readonly token: string;
  /** The server process under which the epoch was created. */
  readonly node: string;
  /** Marks of open writes may have been lost: nothing is trusted yet. */
  readonly isSettling: boolean;
}

export function parseEpoch(text: string): Epoch {
  const isSettling = text.endsWith(SETTLING);
  const [token = '', node = ''] = text.split(' ', 2);
  return { token, node, isSettling };
}

/** Whether a write is marked on the version: answers under it are neither served nor stored. */
export function isInDoubt(version: string): boolean {
  return version.includes('!');
}
