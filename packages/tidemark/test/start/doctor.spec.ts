/** Real: PostgreSQL, Redis. The command `tidemark doctor`. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { runCommand } from '../../src/cli/commands.js';
import { CacheTriggers } from '../../src/index.js';
import { documentedAclRules, PASSWORD, USER } from '../../../../test/support/documented-acl.js';
import { freePort } from '../../../../test/support/free-port.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { PoolingProxy } from '../support/pooling-proxy.js';
import { Customer } from '../fixtures/entities.js';

const ROLE = `doctor_${process.pid}_${Date.now()}`;

let folder: string;
let redis: RedisServer;
let admin: Redis;
let databaseUrl: string;
let source: DataSource;
let triggers: CacheTriggers;
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, 'fixtures/doctor-'));
  redis = await RedisServer.start();
  admin = new Redis(redis.url);
  databaseUrl = await createDatabase();
  source = new DataSource({
    type: 'postgres',
    url: databaseUrl,
    entities: [Customer],
    synchronize: true,
  });
  await source.initialize();
  triggers = new CacheTriggers(source, 'tidemark');
});

afterAll(async () => {
  await source.destroy();
  admin.disconnect();
  await redis.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  await triggers.install();
});

/** A module is loaded once, so that each address needs one. */
async function fileFor(url: string): Promise<string> {
  files += 1;
  const file = join(folder, `${files}.data-source.ts`);
  await writeFile(
    file,
    `import { DataSource } from 'typeorm';
import { Customer } from '../../../fixtures/entities.js';
export default new DataSource({
  type: 'postgres', url: ${JSON.stringify(url)}, entities: [Customer], connectTimeoutMS: 5000 });\n`,
  );
  return file;
}

/** The exit code, and the lines that are not `ok`. */
async function examine({ url = databaseUrl, redisUrl = redis.url } = {}) {
  const lines: string[] = [];
  const args = ['doctor', '-d', await fileFor(url), '--redis', redisUrl];
  const code = await runCommand(args, { print: (line) => lines.push(line), env: {} });
  return { code, lines, bad: lines.filter((line) => !line.startsWith('ok ')) };
}

const withIdleLimit = (): string => {
  const url = new URL(databaseUrl);
  url.searchParams.set('options', '-c idle_in_transaction_session_timeout=60000');
  return url.href;
};

describe('doctor', () => {
  it('everything in order: ok for each subject, and exit code 0', async () => {
    const { code, lines, bad } = await examine({ url: withIdleLimit() });
    expect({ code, bad }).toEqual({ code: 0, bad: [] });
    const subjects = lines.map((line) => /^ok {4}([^:]+):/.exec(line)?.[1]);
    expect(subjects).toEqual([
      'node',
      'typeorm',
      'pooler',
      'postgres',
      'primary',
      'idle_in_transaction_session_timeout',
      'triggers of public.customers',
      'outbox',
      'redis',
      'maxmemory-policy',
      'commands',
      'maxmemory',
      'clock',
    ]);
    expect(await admin.keys('tidemark:doctor*')).toEqual([]);
  });

  it('no limit for idle transactions: a warning with the SQL, and exit code 1', async () => {
    const { code, bad } = await examine();
    expect(code).toBe(1);
    expect(bad).toEqual([expect.stringMatching(/^warn {2}idle_in_.*ALTER ROLE/)]);
  });

  it('a policy that may evict marks: FAIL with the policies to set, and exit code 2', async () => {
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      const { code, bad } = await examine({ url: withIdleLimit() });
      expect(code).toBe(2);
      expect(bad).toEqual([
        expect.stringMatching(
          /^FAIL {2}maxmemory-policy: allkeys-lru .*set volatile-lru or noeviction/,
        ),
      ]);
    } finally {
      await admin.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });

  it.each(['getrange', 'evalsha', 'time', 'info'])(
    'a user of Redis who lacks %s: FAIL that names it, without the password',
    async (command) => {
      await admin.call('ACL', 'SETUSER', USER, ...documentedAclRules(), `-${command}`);
      const redisUrl = `redis://${USER}:${PASSWORD}@127.0.0.1:${redis.port}`;
      const { code, lines, bad } = await examine({ redisUrl });
      expect(code).toBe(2);
      expect(bad.join('\n')).toMatch(new RegExp(`FAIL .*ACL SETUSER .*\\+${command}`, 'i'));
      expect(lines.join('\n')).not.toContain(PASSWORD);
    },
  );

  it('the documented user of Redis: ok', async () => {
    await admin.call('ACL', 'SETUSER', USER, ...documentedAclRules());
    const redisUrl = `redis://${USER}:${PASSWORD}@127.0.0.1:${redis.port}`;
    expect(await examine({ url: withIdleLimit(), redisUrl })).toMatchObject({ code: 0, bad: [] });
  });

  it('a Redis that is not there: FAIL with its address, without the password', async () => {
    const redisUrl = `redis://:${PASSWORD}@127.0.0.1:${await freePort()}`;
    const { code, lines, bad } = await examine({ url: withIdleLimit(), redisUrl });
    expect(code).toBe(2);
    expect(bad).toEqual([
      expect.stringMatching(/^FAIL {2}redis: redis:\/\/127\.0\.0\.1:\d+\/0 cannot be reached/),
    ]);
    expect(lines.join('\n')).not.toContain(PASSWORD);
  });

  it('triggers that are disabled, and none: FAIL with the command', async () => {
    await source.query('ALTER TABLE customers DISABLE TRIGGER ALL');
    const disabled = await examine({ url: withIdleLimit() });
    expect(disabled.bad).toEqual([
      expect.stringMatching(/^FAIL {2}triggers of public\.customers: disabled.*--install/),
    ]);
    await triggers.remove();
    const missing = await examine({ url: withIdleLimit() });
    expect(missing.code).toBe(2);
    expect(missing.bad).toEqual([
      expect.stringMatching(/^FAIL {2}triggers of public\.customers: missing.*--install/),
      expect.stringMatching(/^FAIL {2}outbox: there is none/),
    ]);
  });

  it('a role without rights on the outbox: FAIL with the grants', async () => {
    const owner = new pg.Client({ connectionString: databaseUrl });
    await owner.connect();
    await owner.query(`CREATE ROLE ${ROLE} LOGIN; GRANT SELECT ON customers TO ${ROLE}`);
    try {
      const url = new URL(databaseUrl);
      url.username = ROLE;
      const { code, bad } = await examine({ url: url.href });
      expect(code).toBe(2);
      expect(bad.join('\n')).toMatch(new RegExp(`FAIL {2}outbox: the role ${ROLE} .*GRANT`));
    } finally {
      await owner.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
      await owner.end();
    }
  });

  it('a connection pooler: FAIL with the remedy', async () => {
    const proxy = await PoolingProxy.start(databaseUrl);
    try {
      const { code, bad } = await examine({ url: proxy.url });
      expect(code).toBe(2);
      expect(bad.join('\n')).toMatch(/FAIL {2}pooler: .*address of PostgreSQL itself/);
    } finally {
      proxy.close();
    }
  });

  it('a database that is not there: FAIL, and Redis is checked all the same', async () => {
    const url = `postgres://nobody:secret@127.0.0.1:${await freePort()}/none`;
    const { code, lines } = await examine({ url });
    expect(code).toBe(2);
    expect(lines).toContainEqual(expect.stringMatching(/^FAIL {2}postgres: .*ECONNREFUSED/));
    expect(lines).toContainEqual(expect.stringMatching(/^ok {4}commands:/));
    expect(lines.join('\n')).not.toContain('secret');
  });

  it('without a file: the usage, and exit code 2', async () => {
    const lines: string[] = [];
    const code = await runCommand(['doctor'], { print: (line) => lines.push(line), env: {} });
    expect([code, lines.join()]).toEqual([2, expect.stringContaining('Usage: tidemark doctor')]);
  });
});
