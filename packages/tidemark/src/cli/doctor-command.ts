/** `tidemark doctor`: checks everything around the cache that it needs, and says what to change. */
import { UsageError, type Command } from './command.js';
import { loadDataSource, openDataSource } from './data-source-file.js';
import { check, type Check, type CheckLevel } from './doctor/check.js';
import { databaseChecks } from './doctor/database-checks.js';
import { redisChecks } from './doctor/redis-checks.js';
import { versionChecks } from './doctor/version-checks.js';
import { parseArguments } from './parse-arguments.js';
import { plain } from './plain-text.js';

const DEFAULT_NAMESPACE = 'tidemark';

const EXIT_CODES: Readonly<Record<CheckLevel, number>> = { ok: 0, warn: 1, FAIL: 2 };

const USAGE = `Usage: tidemark doctor -d <file> [--redis <URL>] [--namespace <name>]
  -d, --dataSource   a module that exports the DataSource, as for the commands of TypeORM
  --redis            the URL of Redis; default: the variable REDIS_URL, which does not show
                     a password to other users of the machine
  --namespace        the namespace of QueryCacheModule; default: the export \`namespace\`
                     of the module, or tidemark
Run it with the role and the user of the service. It ends with 0, with 1 for warnings, and
with 2 if a check has failed.`;

export const doctor: Command = {
  summary: 'check Redis, PostgreSQL, triggers, rights, clocks and versions',
  usage: USAGE,
  async run(args, { print, env }) {
    const { values, positionals } = parseArguments(args, {
      dataSource: { type: 'string', short: 'd' },
      redis: { type: 'string' },
      namespace: { type: 'string' },
    });
    const { dataSource: file, redis = env['REDIS_URL'] } = values;
    if (file === undefined || positionals.length > 0) throw new UsageError('Give -d <file>.');
    let worst = 0;
    const report = (checks: readonly Check[]): void => {
      for (const { level, subject, text } of checks) {
        print(`${level.padEnd(4)}  ${plain(`${subject}: ${text}`)}`);
        worst = Math.max(worst, EXIT_CODES[level]);
      }
    };
    report(await versionChecks(file));
    const { source, namespace: exported } = await loadDataSource(file);
    const namespace = values.namespace ?? exported ?? DEFAULT_NAMESPACE;
    try {
      await openDataSource(source);
      report(await databaseChecks(source, namespace));
    } catch (error) {
      report([check('FAIL', 'postgres', messageOf(error))]);
    } finally {
      if (source.isInitialized) await source.destroy();
    }
    if (redis) report(await redisChecks(redis, namespace));
    else report([check('warn', 'redis', 'not checked: give --redis, or set REDIS_URL')]);
    return worst;
  },
};

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
