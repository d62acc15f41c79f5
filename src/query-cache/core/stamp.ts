/**
 * A stamp is the epoch and the versions of all dependencies as one text, read before the SELECT
 * started. Two stamps are equal only when no write to any dependency began in between.
 */
import type { TableReading, TableVersionNames } from './version-store.js';

export interface Stamp {
  readonly text: string;
}

/** Of a reading made for the dependencies, in their order, where all versions are present. */
export function stampOf(
  dependencies: readonly TableVersionNames[],
  readings: readonly TableReading[],
): Stamp {
  let text = '';
  dependencies.forEach(({ table, names }, index) => {
    const reading = readings[index];
    text += `${table}@${reading?.epoch}`;
    names.forEach((name, position) => {
      text += `\n${name}:${reading?.versions[position]}`;
    });
    text += '\n';
  });
  return { text };
}
