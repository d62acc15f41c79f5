/** Requests to several instances, counted by what each answer says of itself in `Cache-Status`. */
import type { Answer } from './answer.js';
import type { RestClient } from './rest-client.js';

/** The names are those of the page's legend. */
export interface Counted {
  'Hit in memory (L1)': number;
  'Hit in Redis (L2)': number;
  'Miss, stored': number;
  'Bypassed the cache': number;
}

export class CountedLoad {
  readonly #queries = new Map<string, Counted>();
  /** Hits and misses of each path, on all instances. */
  readonly #paths = new Map<string, { hits: number; misses: number }>();

  async get(instance: RestClient, path: string): Promise<Answer> {
    const answer = await instance.get(path);
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status}`);
    const outcome = outcomeOf(answer.headers['cache-status'] ?? '');
    this.of(queryOf(path))[outcome] += 1;
    const counts = this.at(path);
    if (outcome === 'Miss, stored') counts.misses += 1;
    else if (outcome !== 'Bypassed the cache') counts.hits += 1;
    return answer;
  }

  of(query: string): Counted {
    let counts = this.#queries.get(query);
    if (!counts) {
      counts = {
        'Hit in memory (L1)': 0,
        'Hit in Redis (L2)': 0,
        'Miss, stored': 0,
        'Bypassed the cache': 0,
      };
      this.#queries.set(query, counts);
    }
    return counts;
  }

  at(path: string): { hits: number; misses: number } {
    let counts = this.#paths.get(path);
    if (!counts) {
      counts = { hits: 0, misses: 0 };
      this.#paths.set(path, counts);
    }
    return counts;
  }

  /** Calls and hits of one query; of all queries without a name. */
  sum(query?: string): { calls: number; hits: number } {
    const all = query === undefined ? [...this.#queries.values()] : [this.of(query)];
    const hits = all.map((one) => one['Hit in memory (L1)'] + one['Hit in Redis (L2)']);
    const calls = all.flatMap((one) => Object.values(one) as number[]);
    return { calls: total(calls), hits: total(hits) };
  }
}

function outcomeOf(status: string): keyof Counted {
  if (/^tidemark; hit; .*detail=L1$/.test(status)) return 'Hit in memory (L1)';
  if (/^tidemark; hit; .*detail=L2$/.test(status)) return 'Hit in Redis (L2)';
  if (status === 'tidemark; fwd=miss; stored') return 'Miss, stored';
  if (status.startsWith('tidemark; fwd=bypass')) return 'Bypassed the cache';
  throw new Error(`Not counted: ${status}`);
}

function queryOf(path: string): string {
  if (path === '/regions') return 'regions.counts';
  return /^\/users\/\d+$/.test(path) ? 'users.by-id' : 'users.page';
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
