#!/usr/bin/env node
/** The command `tidemark`. */
import { runCommand } from './commands.js';

void runCommand(process.argv.slice(2), {
  print: (line) => process.stdout.write(`${line}\n`),
  // The commands read a token from it, which an argument would show to other users of the machine.
  // eslint-disable-next-line node/no-process-env
  env: process.env,
}).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  },
);

/** A refused connection to a name with several addresses has its messages in the errors of the addresses. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('\n');
  return error instanceof Error ? error.message : String(error);
}
