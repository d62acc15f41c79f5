import type { Config } from '../config/config.js';
import { readConfig } from '../config/environment.js';
import { describeError } from '../logging/describe-error.js';
import { openServiceDatabase } from './service-database.js';

/**
 * Runs a command-line program on the database of the service, and exits with the code that `work` returns.
 * @param work `undefined` if the arguments are invalid: then the usage is shown.
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
