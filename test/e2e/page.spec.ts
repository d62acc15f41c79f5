/** The page of the cache in a real browser, over three instances: what it says is what the tests have done. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { accessibilityFaults } from '../support/browser.js';
import { describePageAccess } from './page/access.js';
import { describePageCounts } from './page/counts.js';
import { describeDoubtAndControl } from './page/doubt.js';
import { PageStage } from './page/page-stage.js';
import { showView } from './support/page-views.js';

const STARTING_MS = 180_000;

const stage = new PageStage();

beforeAll(() => stage.start(), STARTING_MS);
afterAll(() => stage.stop());
afterEach(() => {
  if (stage.faults.length > 0) throw new Error(stage.faults.join('\n'));
});

// The first to run: it counts everything that the instances have done.
describePageCounts(stage);
describeDoubtAndControl(stage);
describePageAccess(stage);

it.each([
  ['#/overview', 'Overview'],
  ['#/queries', 'Queries'],
  ['#/queries/users.page', 'users.page'],
  ['#/live', 'Live'],
  ['#/writes', 'Writes'],
  ['#/regions', 'Regions'],
  ['#/doubt', 'Doubt'],
  ['#/control', 'Control'],
])('%s is accessible with the data of the service', async (hash, title) => {
  await showView(stage.page, hash, title);
  expect(await accessibilityFaults(stage.page)).toEqual([]);
});
