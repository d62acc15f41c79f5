/** The only module that reads the process environment. */
import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { parseConfig, type Config } from './config.js';

/**
 * Reads `.env` in the working directory, if it exists, and then the environment, which takes precedence.
 * @throws ConfigError
 */
export function readConfig(): Config {
  if (existsSync('.env')) loadEnvFile('.env');
  return parseConfig(process.env);
}

/** The environment of a child program: the search path of commands, and no secrets. */
export function childEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR };
}
