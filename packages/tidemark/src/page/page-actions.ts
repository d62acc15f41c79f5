/** What the page can do, with the checks of the bodies that ask for it. */
import type { Region } from '../nestjs/query-cache.js';
import { RedisError } from '../redis/connection/redis.errors.js';
import { PageProblem } from './page-problem.js';
import type { PageSource } from './page-sources.js';

const MAX_REGIONS = 1_000;
const EXAMPLE =
  'send {"regions": [{"table": "public.users", "dimension": "region", "value": "US"}]}, or the table alone';

/** @throws PageProblem that names what is wrong. */
export async function invalidate({ cache }: PageSource, body: unknown): Promise<void> {
  const { regions } = body as { readonly regions?: unknown };
  if (!Array.isArray(regions) || regions.length === 0 || regions.length > MAX_REGIONS) {
    throw invalid(`\`regions\` is not a list of 1 to ${MAX_REGIONS} regions: ${EXAMPLE}.`);
  }
  try {
    await cache.invalidate(regions.map(regionOf));
  } catch (error) {
    throw error instanceof TypeError ? invalid(error.message) : unavailable(error);
  }
}

/** @throws PageProblem that names what is wrong. */
export async function switchMode({ reports }: PageSource, body: unknown): Promise<void> {
  const { mode } = body as { readonly mode?: unknown };
  if (mode !== 'serve' && mode !== 'shadow') {
    throw invalid('`mode` is neither serve nor shadow: send {"mode": "shadow"}.');
  }
  if (reports.mode === 'off') {
    throw new PageProblem(409, 'cache-off', 'The cache is off: start the service with it.');
  }
  if (mode === 'serve' && reports.staysInShadow) {
    throw new PageProblem(
      409,
      'mode-kept',
      "The option `mode: 'shadow'` (CACHE_MODE=shadow) keeps this instance in shadow mode: start the service without it.",
    );
  }
  await reports.setMode(mode).catch((error: unknown) => {
    throw unavailable(error);
  });
}

function regionOf(given: unknown): Region {
  const { table, dimension, value } = (given ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof table !== 'string') throw invalid(`A region has no \`table\`: ${EXAMPLE}.`);
  if (dimension === undefined && value === undefined) return { table };
  if (typeof dimension === 'string' && (typeof value === 'string' || typeof value === 'number')) {
    return { table, dimension, value };
  }
  throw invalid(`A region of ${table} has a dimension or a value alone: ${EXAMPLE}.`);
}

function invalid(detail: string): PageProblem {
  return new PageProblem(400, 'invalid-request', detail);
}

/** Messages of Redis name no address and no secret. */
function unavailable(error: unknown): unknown {
  if (!(error instanceof RedisError)) return error;
  return new PageProblem(503, 'unavailable', `${error.message}. Try again later.`, {
    'retry-after': '5',
  });
}
