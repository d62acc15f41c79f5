/** The commands of `tidemark` by name. */
import type { Command, CommandContext } from './command.js';
import { UsageError } from './command.js';
import { doctor } from './doctor-command.js';
import { explain } from './explain-command.js';
import { invalidate } from './invalidate-command.js';
import { stats } from './stats-command.js';
import { triggersCommand, USAGE } from './triggers-command.js';

const triggers: Command = {
  summary: 'print, check, install or remove the triggers of a data source',
  usage: USAGE,
  run: (args, { print }) => triggersCommand(['triggers', ...args], print),
};

const COMMANDS: Readonly<Record<string, Command>> = {
  stats,
  explain,
  invalidate,
  doctor,
  triggers,
};

const LIST = Object.entries(COMMANDS).map(
  ([name, { summary }]) => `  ${name.padEnd(11)} ${summary}`,
);

const LIST_USAGE = `Usage: tidemark <command> [options]
${LIST.join('\n')}
\`tidemark <command> --help\` prints the options.`;

/** Resolves to the exit code: 0, 1 for what is to be done, 2 for wrong arguments or a failed check. Rejects as a command. */
export async function runCommand(
  [name = '', ...args]: readonly string[],
  context: CommandContext,
): Promise<number> {
  const { print } = context;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    print(LIST_USAGE);
    return name === '--help' || name === '-h' ? 0 : 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    print(command.usage);
    return 0;
  }
  try {
    return await command.run(args, context);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    print(`${error.message}\n${command.usage}`);
    return 2;
  }
}
