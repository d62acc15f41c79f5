/** `npm run consistency`: reads the arguments, runs, reports, and ends with 1 on a stale read. */
import { parseOptions, USAGE, UsageError, type CheckOptions } from './options.js';
import { headline, isClean, progressLine, summary } from './report.js';
import { check } from './run.js';

/** npm passes on a Ctrl-C that the terminal has delivered already. */
const SAME_INTERRUPT_MS = 1_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  let firstMs: number | undefined;
  const interrupt = (): void => {
    if (firstMs !== undefined && performance.now() - firstMs > SAME_INTERRUPT_MS) {
      // The servers end with this process.
      process.exit(130);
    }
    firstMs ??= performance.now();
    if (!controller.signal.aborted) say('Ending; once more to end at once.');
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return controller.signal;
}

async function run(options: CheckOptions): Promise<number> {
  const interrupted = interruption();
  say(headline(options));
  const result = await check(options, {
    interrupted,
    onProgress: (progress) => say(progressLine(progress)),
  });
  for (const text of result.evidence) say(`\n--- a violation\n${text}\n`);
  say(summary(options, result));
  return isClean(result) ? 0 : 1;
}

export async function main(args: readonly string[]): Promise<number> {
  // Servers and waits of the tests' support keep no process alive by themselves.
  const alive = setInterval(() => undefined, 60_000);
  try {
    return await run(parseOptions(args, () => Math.floor(Math.random() * 1_000_000)));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}\n`);
    return 2;
  } finally {
    clearInterval(alive);
  }
}
