/**
 * `npm run examples [-- <name> ...]`: installs the packed library into a copy of each example, builds, tests and starts
 * it, and checks its answers. It brings PostgreSQL and Redis, and removes all that it made.
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { register } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, httpChecks } from '../examples/checks.mjs';
import { graphqlChecks } from '../examples/graphql-checks.mjs';
import { redisServerBinary } from './redis-server-binary.mjs';

const root = join(import.meta.dirname, '..');
const COMMAND_LIMIT_MS = 300_000;
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;

const EXAMPLES = {
  'nest-12-express': httpChecks,
  'nest-12-fastify': httpChecks,
  'nest-11-commonjs': httpChecks,
  graphql: graphqlChecks,
};

process.env.REDIS_SERVER = redisServerBinary();
register('../test/support/typescript-loader.mjs', import.meta.url);
const { PostgresServer } = await import('../test/support/postgres-server.ts');
const { RedisServer } = await import('../test/support/redis-server.ts');
const { freePort } = await import('../test/support/free-port.ts');

/** @throws with all that the program wrote. */
async function run(cwd, env, program, ...args) {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd,
      env: { ...process.env, ...env },
      timeout: COMMAND_LIMIT_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const command = [program, ...args].join(' ');
    throw new Error(`${command} failed in ${cwd}:\n${error.stdout}${error.stderr}`, {
      cause: error,
    });
  }
}

async function pack(folder) {
  const args = ['pack', '-w', '@tidemark/nestjs', '--json', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(await run(root, {}, 'npm', ...args));
  return join(folder, filename);
}

/** The latest output of the application. */
const lastOf = ({ output }) => output.slice(-3_000);

/** The lock file of an example leaves the library out: each pack has another checksum. */
async function install(name, folder, tarball) {
  const isOwn = (path) => !['node_modules', 'dist'].includes(basename(path));
  cpSync(join(root, 'examples', name), folder, { recursive: true, filter: isOwn });
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await run(folder, {}, 'npm', 'ci', ...quiet);
  await run(folder, {}, 'npm', 'install', '--no-save', ...quiet, tarball);
  await run(folder, {}, 'npm', 'run', 'build');
}

async function start(folder, env) {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const [program, ...args] = scripts.start.split(' ');
  const settings = { ...process.env, NO_COLOR: '1', ...env };
  const child = spawn(program, args, { cwd: folder, env: settings });
  running = child;
  const application = { child, output: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (application.output += text));
  }
  const limitMs = performance.now() + START_LIMIT_MS;
  const isUp = () =>
    fetch(`http://127.0.0.1:${env.PORT}/`).then(
      () => true,
      () => false,
    );
  while (!(await isUp())) {
    if (child.exitCode !== null || performance.now() > limitMs) {
      child.kill('SIGKILL');
      throw new Error(`The application does not start:\n${lastOf(application)}`);
    }
    await pause(50);
  }
  return application;
}

async function stop(application) {
  const { child } = application;
  const isOver = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  const [code, signal] = await isOver;
  clearTimeout(timer);
  if (signal === 'SIGKILL' || (code !== 0 && signal !== 'SIGTERM')) {
    throw new Error(
      `The application ended with ${code ?? signal} on SIGTERM:\n${lastOf(application)}`,
    );
  }
}

async function check(checks, folder, env) {
  const hasTests = readFileSync(join(folder, 'package.json'), 'utf8').includes('"test"');
  if (hasTests) {
    await run(folder, env, 'npm', 'test');
    console.log('  passed: npm test');
  }
  const application = await start(folder, env);
  try {
    const client = new Client(`http://127.0.0.1:${env.PORT}`);
    for (const [title, passes] of Object.entries(checks)) {
      await passes(client, { env, output: () => application.output }).catch((error) => {
        throw new Error(`Failed: ${title}\n${lastOf(application)}`, { cause: error });
      });
      console.log(`  passed: ${title}`);
    }
  } finally {
    await stop(application);
  }
}

const wanted = process.argv.slice(2);
const names = wanted.length > 0 ? wanted : Object.keys(EXAMPLES);
const folder = mkdtempSync(join(tmpdir(), 'tidemark-examples-'));
const servers = [];
let running;
process.once('SIGINT', () => process.exit(130));
process.once('exit', () => {
  running?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
try {
  const tarball = await pack(folder);
  servers.push(await PostgresServer.start(), await RedisServer.start());
  const [postgres, redis] = servers;
  for (const name of names) {
    console.log(`\n${name}`);
    const startedMs = performance.now();
    const copy = join(folder, name);
    await install(name, copy, tarball);
    console.log(
      `  installed and built in ${Math.round((performance.now() - startedMs) / 1_000)} s`,
    );
    await check(EXAMPLES[name], copy, {
      PORT: String(await freePort()),
      TCP_PORT: String(await freePort()),
      DATABASE_URL: await postgres.createDatabase(),
      REDIS_URL: redis.url,
      TIDEMARK_TOKEN: randomBytes(16).toString('hex'),
    });
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const server of servers) await server.stop();
}
