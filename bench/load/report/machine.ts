import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** The machine, and what else it had to do when the run began. */
export function machine(): string {
  const [first] = cpus();
  const [load = 0] = loadavg();
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${memory} GB, ${type()} ${release()}, load average ${load.toFixed(2)}`;
}
