import { mergeMap, of, type Observable } from 'rxjs';
import { isCacheableQuery, type CacheableQuery } from '../sql/compiled-query.js';

/** Puts its answer in the place of every query; other values pass as they are. */
export function answered(
  values: Observable<unknown>,
  answer: (query: CacheableQuery) => Promise<unknown>,
): Observable<unknown> {
  return values.pipe(mergeMap((value) => (isCacheableQuery(value) ? answer(value) : of(value))));
}
