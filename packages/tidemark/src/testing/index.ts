/** The public names for tests of an application. */
export { outcomesOf, type Outcome, type RecordedOutcomes } from './outcomes.js';
