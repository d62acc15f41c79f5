/** Triggers of an older release: they report less or nothing, and are replaced or named by health. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { CacheTriggers } from '../../src/index.js';
import type { CachedApplication } from '../support/cached-application.js';
import { accounts, type AccountAnswer } from './fixtures/accounts.js';
import { Scene } from './scene.js';

/** The function of a table as an older release has created it. */
type Older = (definition: string) => string;

/** Raises no notice: fills the outbox alone. */
const silent: Older = (definition) => definition.replaceAll('RAISE NOTICE', 'RAISE DEBUG');
/** Knows of fewer dimensions. */
const narrow: Older = (definition) => definition.replaceAll(`'region', `, `'country', `);
/** Its notices do not parse. */
const other: Older = (definition) =>
  definition.replaceAll(`'regions', regions`, `'values', regions`);
/** Does the same. */
const reworded: Older = (definition) =>
  definition.replace('BEGIN\n', 'BEGIN\n  -- An older release.\n');

async function age(source: DataSource, older: Older): Promise<void> {
  const [row] = await source.query<{ definition: string }[]>(
    `SELECT pg_get_functiondef(tgfoid) AS definition FROM pg_trigger
      WHERE tgrelid = 'accounts'::regclass AND tgname = 'tidemark_tidemark_update'`,
  );
  const { definition } = row ?? { definition: '' };
  const aged = older(definition);
  expect(aged).not.toBe(definition);
  await source.query(aged);
}

type Write = (app: CachedApplication) => Promise<unknown>;
const update: Write = ({ source }) =>
  source.query('UPDATE accounts SET balance = balance + 1 WHERE id = 1');
const moved: Write = ({ source }) =>
  source.query(`UPDATE accounts SET region = 'APAC' WHERE id = 1`);

describe('an application that only reports older triggers', () => {
  let scene: Scene<AccountAnswer>;
  beforeAll(async () => {
    // Only reports: the test itself repairs them.
    scene = await Scene.open(accounts, { triggers: 'check' });
  });
  afterAll(() => scene.close());
  beforeEach(() => scene.prepare());
  afterEach(async () => {
    await new CacheTriggers(scene.otherClient, 'tidemark').install();
    await scene.check();
  });

  describe.each([
    { what: 'say nothing', older: silent },
    { what: 'name other dimensions', older: narrow },
    { what: 'name them in other words', older: other },
    { what: 'do the same', older: reworded },
  ])('triggers that $what', ({ older }) => {
    it('installed a moment ago end at least the changed answers', async () => {
      await age(scene.otherClient, older);
      for (const write of [update, moved]) {
        const ended = await scene.endedBy(write);
        expect(ended).toEqual(expect.arrayContaining(['accounts', 'accounts US', 'account 1']));
      }
      await scene.expectTruth();
    });

    it('installed for some time are named by health, and their tables give no stale answer', async () => {
      await age(scene.otherClient, older);
      await scene.check();
      const detail = expect.stringContaining('public.accounts');
      expect(scene.health).toEqual({ status: 'degraded', detail });
      for (const write of [update, moved]) {
        const ended = await scene.endedBy(write);
        expect(ended).toEqual(expect.arrayContaining(['accounts', 'accounts US', 'account 1']));
      }
      await scene.expectTruth();
    });

    it('report correctly again once this release has replaced them', async () => {
      await age(scene.otherClient, older);
      await new CacheTriggers(scene.otherClient, 'tidemark').install();
      await scene.check();
      expect(scene.health).toEqual({ status: 'up' });
      expect(await scene.endedBy(update)).toEqual(['accounts', 'accounts US', 'account 1']);
    });
  });
});

it('an application that may install them replaces older ones at its start', async () => {
  const scene = await Scene.open(accounts, { before: (otherClient) => age(otherClient, silent) });
  try {
    await scene.prepare();
    expect(scene.health).toEqual({ status: 'up' });
    expect(await scene.endedBy(update)).toEqual(['accounts', 'accounts US', 'account 1']);
  } finally {
    await scene.close();
  }
});
