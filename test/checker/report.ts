/** The figures of a run in words. */
import { BOUNDS } from './bounds.js';
import { RECOVERY_LIMIT_MS } from './faults/fault-schedule.js';
import type { FaultRecord, Figures } from './figures.js';
import type { CheckOptions } from './options.js';
import type { CheckResult } from './run.js';

export function isClean({ violations, figures }: CheckResult): boolean {
  return violations === 0 && figures.hangs.length === 0;
}

export function headline(options: CheckOptions): string {
  const { seconds, instances, redis, writers, readers, policy, seed } = options;
  const faults = options.faults === 'none' ? 'without faults' : 'with faults';
  return (
    `Checking ${instances} instances on Redis (${redis}) for ${seconds} s ${faults}: ${writers} writers, ` +
    `${readers} readers, CACHE_WRITE_POLICY=${policy}, seed ${seed}`
  );
}

export function progressLine({ figures, checkedReads, violations }: CheckResult): string {
  const rate = Math.round(checkedReads / Math.max(figures.seconds, 0.001));
  return (
    `${figures.seconds.toFixed(0).padStart(5)} s  reads ${checkedReads} (${rate}/s)  ` +
    `hits ${share(figures.hits, figures.reads.total)}  writes ${figures.writes.total}  ` +
    `faults ${figures.faults.length}  stale ${violations}`
  );
}

export function summary(options: CheckOptions, result: CheckResult): string {
  const { figures, checkedReads, violations } = result;
  const seconds = figures.seconds;
  const lines = [
    `Reads checked     ${checkedReads} in ${seconds.toFixed(0)} s (${Math.round(checkedReads / seconds)}/s); slowest ${figures.slowestReadMs.toFixed(0)} ms`,
    `  by the cache    ${counted(figures.reads.entries())}`,
    `  of these        ${figures.notModified} answered 304, ${figures.compressed} compressed`,
    `  not answered    ${counted(figures.failedReads.entries())}`,
    `Writes            ${figures.writes.total}: ${counted(figures.writes.entries())}`,
    `  outcomes        ${counted(figures.outcomes.entries())}; ${figures.abandoned} with an unknown outcome`,
    outsideLine(figures),
    ...faultLines(figures),
    ...electionLines(figures),
    ...boundLines(figures),
    ...list('Hangs', figures.hangs),
    ...list('Answers of 5xx without a fault', figures.oddities),
    `Policy, seed      CACHE_WRITE_POLICY=${options.policy}, --seed ${options.seed}`,
    `Stale reads       ${violations}`,
  ];
  return lines.join('\n');
}

function faultLines(figures: Figures): string[] {
  const kinds = new Map<string, FaultRecord[]>();
  for (const record of figures.faults) {
    kinds.set(record.kind, [...(kinds.get(record.kind) ?? []), record]);
  }
  const lines = [...kinds].map(([kind, records]) => {
    const recoveries = records.flatMap(({ recoveredMs }) => recoveredMs ?? []);
    const late = recoveries.filter((ms) => ms > RECOVERY_LIMIT_MS).length;
    const worst = recoveries.length > 0 ? `${Math.max(...recoveries).toFixed(0)} ms` : 'not seen';
    const warning = late > 0 ? `, ${late} times beyond ${RECOVERY_LIMIT_MS / 1000} s` : '';
    const last = records.at(-1)?.detail ?? '';
    const latest = last === '' ? '' : `; last: ${last}`;
    return `  ${String(records.length).padStart(4)} ${kind}; hits again after at most ${worst}${warning}${latest}`;
  });
  return [`Faults            ${figures.faults.length}`, ...lines];
}

function electionLines({ elections }: Figures): string[] {
  const sorted = [...elections].sort((one, other) => one.recoveredMs - other.recoveredMs);
  const [median, last] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  if (!median || !last) return [];
  return [
    `Elections         ${elections.length}; every instance hit again after ${median.recoveredMs.toFixed(0)} ms (median), ` +
      `${last.recoveredMs.toFixed(0)} ms (at most: ${last.kind})`,
  ];
}

function boundLines({ bounds }: Figures): string[] {
  const lines = [...bounds.used].map(([name, { answers, latestMs }]) => {
    const { promise, ms } = BOUNDS[name];
    return `  ${String(answers).padStart(4)} ${promise}, ${ms} ms at most; the last ${latestMs.toFixed(0)} ms after the fault`;
  });
  return ['Old within a bound', ...(lines.length > 0 ? lines : ['     0'])];
}

function outsideLine({ outsideWrites, outsideLost, outsideLagsMs }: Figures): string {
  const lags = [...outsideLagsMs].sort((one, other) => one - other);
  const at = (part: number): string =>
    `${(lags[Math.min(lags.length - 1, Math.floor(lags.length * part))] ?? 0).toFixed(1)} ms`;
  return (
    `From outside      ${outsideWrites} writes, shown by each instance after ${at(0.5)} (median), ` +
    `${at(0.99)} (99th percentile), ${at(1)} (at most); ${outsideLost} lost`
  );
}

function list(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [`${title.padEnd(17)} none`];
  return [`${title}: ${items.length}`, ...items.slice(0, 5).map((item) => `  ${item}`)];
}

function counted(entries: readonly (readonly [string, number])[]): string {
  return entries.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}

function share(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(0)} %`;
}
