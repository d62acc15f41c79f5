/** One environment variable that cannot be used. Never carries the value of a secret. */
export interface ConfigProblem {
  readonly variable: string;
  readonly problem: string;
  readonly remedy: string;
}

/** The environment cannot be used; names every variable at fault at once. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ variable, problem, remedy }) => `${variable} ${problem}: ${remedy}.`,
    );
    super(lines.join('\n'));
    this.name = 'ConfigError';
  }
}
