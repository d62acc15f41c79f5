import type { Config } from '../config/config.js';
import { readConfig } from '../config/environment.js';
import { describeError } from '../logging/describe-error.js';
import { openServiceDatabase } from './service-database.js';

/**
 * Runs a program of the command line on the database of the service, and ends with the exit code from `work`.
 * @param work `undefined` where the arguments cannot be understood: the usage is shown then.
 */
export async function runCommand(
  usage: string,
  work: ((config: Config) => Promise<number>) | undefined,
): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  if (!work) {
    say(usage);
    process.exitCode = 2;
    return;
  }
  try {
    const { config, embedded } = await openServiceDatabase(readConfig(), say);
    try {
      process.exitCode = await work(config);
    } finally {
      await embedded?.stop();
    }
  } catch (error) {
    say(describeError(error).message);
    process.exitCode = 1;
  }
}
