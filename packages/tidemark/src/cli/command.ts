export type Print = (line: string) => void;

export interface CommandContext {
  readonly print: Print;
  /** The variables of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Command {
  /** For the list of commands. */
  readonly summary: string;
  readonly usage: string;
  /** Resolves to the exit code: 0, 1, or 2 for wrong arguments. Rejects with an error whose message is for people. */
  run(args: readonly string[], context: CommandContext): Promise<number>;
}

/** The arguments do not fit the command: its usage is printed, after the message. */
export class UsageError extends Error {}
