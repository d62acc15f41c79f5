/** The public names for tests of an application. */
export {
  VersionStore,
  type ExpiredMark,
  type MarksReport,
  type TableReading,
  type TableVersionNames,
  type WriteMark,
} from '../core/ports/version-store.js';
export {
  outcomesOf,
  type ExpectedOutcome,
  type Outcome,
  type RecordedOutcomes,
} from './outcomes.js';
export {
  versionStoreCases,
  type VersionStoreCase,
  type VersionStoreUnderTest,
} from './version-store/version-store-cases.js';
export {
  CacheTestingModule,
  type InMemoryOptions,
  type PassThroughOptions,
} from './cache-testing.module.js';
export { fakeQueryCache } from './fake-query-cache.js';
export type { FakeAnswers } from './pass-through-reader.js';
