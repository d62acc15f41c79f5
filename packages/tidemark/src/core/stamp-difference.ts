/** Which versions differ between two stamps, and so why an entry does not answer a read. */
import type { MissCause } from './ports/cache-events.js';
import type { CacheEntry } from './ports/entry-store.js';
import type { TableVersionNames } from './ports/version-store.js';
import type { Stamp } from './freshness-gate.js';
import { WHOLE_TABLE } from './versions.js';

type ReadStamp = Pick<Stamp, 'text' | 'dependencies'>;

/**
 * The cause of a miss under `stamp`, from the entries that were known for its key: the newest one counts. Where both
 * its time and a version have ended it, it is outdated: a longer time to live would not have helped.
 */
export function missCauseOf(
  stamp: ReadStamp,
  known: readonly (CacheEntry | undefined)[],
): { readonly cause: MissCause; readonly outdated: readonly TableVersionNames[] } {
  let newest: CacheEntry | undefined;
  for (const entry of known) {
    if (entry && !(newest && newest.createdAtMs >= entry.createdAtMs)) newest = entry;
  }
  if (!newest) return { cause: 'new', outdated: [] };
  if (newest.stamp === stamp.text) return { cause: 'expired', outdated: [] };
  return { cause: 'outdated', outdated: stampDifference(stamp, newest.stamp) };
}

/**
 * The versions that were replaced between the text of an earlier stamp of the same answer and this stamp. A replaced
 * epoch counts as `*` of its table. None: the texts are equal, or the earlier stamp has other dependencies.
 */
export function stampDifference(stamp: ReadStamp, before: string): readonly TableVersionNames[] {
  const { dependencies } = stamp;
  const now = versionsIn(stamp.text, dependencies);
  const then = versionsIn(before, dependencies);
  if (!now || !then) return [];
  let next = 0;
  const isReplaced = (): boolean => now[next] !== then[next++];
  return dependencies.flatMap(({ table, names }) => {
    const isOtherEpoch = isReplaced();
    const replaced = names.filter(isReplaced);
    if (isOtherEpoch) return [{ table, names: [WHOLE_TABLE] }];
    return replaced.length > 0 ? [{ table, names: replaced }] : [];
  });
}

/**
 * The epoch and the versions of each table, in order; `undefined` if the text is of other dependencies. A name may hold
 * any text of a value, also a line of a stamp, so the known names are looked for; epochs and versions have no line
 * break.
 */
function versionsIn(
  text: string,
  dependencies: readonly TableVersionNames[],
): readonly string[] | undefined {
  const versions: string[] = [];
  let at = 0;
  const takeAfter = (label: string): boolean => {
    const start = at + label.length;
    const end = text.indexOf('\n', start);
    if (end === -1 || !text.startsWith(label, at)) return false;
    versions.push(text.slice(start, end));
    at = end;
    return true;
  };
  for (const { table, names } of dependencies) {
    if (!takeAfter(`${table}@`) || !names.every((name) => takeAfter(`\n${name}:`)))
      return undefined;
    at += 1;
  }
  return at === text.length ? versions : undefined;
}
