/** Reasons to run a query past the cache; callers do not see them. */
import { AbandonedFillError } from '../core/read-request.js';

/** The builder returned another query than the key of the fill stands for: the builder or the schema has changed. */
export class PlanChangedError extends AbandonedFillError {}

/** An entity that loads a relation later cannot be encoded. */
export class LazyValueError extends Error {}
