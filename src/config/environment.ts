/** The only place that reads the process environment. */
import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { parseConfig, type Config } from './config.js';

/**
 * Reads `.env` of the working directory, where there is one, and then the environment, which wins.
 * @throws ConfigError
 */
export function readConfig(): Config {
  if (existsSync('.env')) loadEnvFile('.env');
  return parseConfig(process.env);
}

/** What a program started by the service may see: where to find commands, and nothing secret. */
export function childEnvironment(): Record<string, string> {
  const { PATH, HOME, TMPDIR } = process.env;
  return Object.fromEntries(
    Object.entries({ PATH, HOME, TMPDIR }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}
