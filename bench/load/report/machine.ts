import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** The machine, and what else it had to do when the run began. */
export function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${memory} GB, ${type()} ${release()}, load average ${loadAverage()}`;
}

/** Of the last minute. */
export function loadAverage(): string {
  return (loadavg()[0] ?? 0).toFixed(2);
}
