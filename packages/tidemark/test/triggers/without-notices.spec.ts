/** A client without notices, such as the native one of node-postgres: the triggers record its writes in the outbox. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { CachedApplication } from '../support/cached-application.js';
import { accounts, type AccountAnswer } from './fixtures/accounts.js';
import { Scene } from './scene.js';

const UPDATE = 'UPDATE accounts SET balance = 5 WHERE id = 1';

interface Client {
  query(sql: string): Promise<unknown>;
  on(event: string, listener: () => void): unknown;
  removeAllListeners(event: string): void;
}
interface Driver {
  obtainMasterConnection(): Promise<[Client, () => void]>;
}

/** Gives connections of the data source without the features that a native client lacks. */
function withoutNotices({ source }: CachedApplication): void {
  const driver = source.driver as unknown as Driver;
  const obtain = driver.obtainMasterConnection.bind(driver);
  const known = new WeakMap<Client, Client>();
  driver.obtainMasterConnection = async () => {
    const [client, release] = await obtain();
    const deaf = known.get(client) ?? deafened(client);
    if (!known.has(client)) {
      client.removeAllListeners('notice');
      await client.query('RESET tidemark.publishes');
      known.set(client, deaf);
    }
    return [deaf, release];
  };
}

function deafened(client: Client): Client {
  return new Proxy(client, {
    get(target, name) {
      if (name === 'connection') return undefined;
      if (name === 'on') {
        return (event: string, listener: () => void) =>
          event === 'notice' ? undefined : target.on(event, listener);
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

let scene: Scene<AccountAnswer>;

beforeAll(async () => {
  const schema = `${accounts.schema};
    CREATE FUNCTION pay() RETURNS void LANGUAGE sql AS 'UPDATE payments SET account = account + 1'`;
  scene = await Scene.open({ ...accounts, schema });
  withoutNotices(scene.app);
});
afterAll(() => scene.close());
beforeEach(() => scene.prepare());

it.each([
  { what: 'a write', statements: [UPDATE], ends: 'accounts' },
  { what: 'a function', statements: ['SELECT pay()'], ends: 'payments' },
  { what: 'a function after a write', statements: [UPDATE, 'SELECT pay()'], ends: 'payments' },
  {
    what: 'a function after a function',
    statements: ['SELECT pay()', 'SELECT pay()'],
    ends: 'payments',
  },
  {
    what: 'a function after RESET ALL',
    statements: ['RESET ALL', 'SELECT pay()'],
    ends: 'payments',
  },
] as const)('$what leaves nothing stale', async ({ statements, ends }) => {
  for (const [index, statement] of statements.entries()) {
    const ended = await scene.endedBy(() => scene.over(statement));
    if (index === statements.length - 1) expect(ended).toContain(ends);
  }
  await scene.expectTruth();
});
