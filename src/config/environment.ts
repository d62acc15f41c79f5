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

/** The environment of a program that the service starts: where to find commands, and nothing secret. */
export function childEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR };
}
