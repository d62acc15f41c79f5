/**
 * `npm run consistency`: makes sure of a build and a Redis server, then runs the checker
 * (test/checker) in this very process.
 */
import { spawnSync } from 'node:child_process';
import { register } from 'node:module';
import { join } from 'node:path';
import { redisServerBinary } from './redis-server-binary.mjs';

const root = join(import.meta.dirname, '..');
const args = process.argv.slice(2);

function build() {
  const script = join(root, 'scripts/build.mjs');
  return spawnSync(process.execPath, [script, '--if-stale'], { stdio: 'inherit' }).status === 0;
}

register('../test/support/typescript-loader.mjs', import.meta.url);
const { main } = await import('../test/checker/cli.ts');
const { parseOptions } = await import('../test/checker/options.ts');

try {
  // Wrong arguments are reported before the build.
  parseOptions(args, () => 0);
} catch {
  process.exit(await main(args));
}
if (!build()) process.exit(1);
try {
  process.env.REDIS_SERVER = redisServerBinary();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
process.exit(await main(args));
