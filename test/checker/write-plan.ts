/** The next write of a writer: a request, and the rows it leads to. */
import type { SeededRandom } from './seeded-random.js';
import type { Row, StoredRow, Territory } from './territory.js';

export interface WritePlan {
  readonly kind: string;
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body: object | undefined;
  /** The rows afterwards; `undefined`: the service has to refuse the request. */
  readonly next: readonly Row[] | undefined;
  /** The status it is answered with. */
  readonly status: number;
  /** Whether the body of that answer is right. */
  readonly isRight: (body: string) => boolean;
}

const FEW = 8;
const MANY = 20;
const MAX_BATCH = 6;

const kinds = {
  'patch username': 30,
  'patch email': 12,
  'patch region': 14,
  create: 10,
  delete: 10,
  batch: 5,
  move: 9,
  'taken username': 3,
  'taken batch': 2,
  'missing user': 2,
};

type Kind = keyof typeof kinds;

export function planWrite(random: SeededRandom, territory: Territory): WritePlan {
  const { rows } = territory;
  if (rows.length < FEW) return plans[rows.length < 3 ? 'batch' : 'create'](random, territory);
  if (rows.length > MANY) return plans.delete(random, territory);
  return plans[random.weighted(kinds)](random, territory);
}

const plans: Readonly<Record<Kind, (random: SeededRandom, territory: Territory) => WritePlan>> = {
  'patch username': (random, territory) =>
    patch('patch username', territory, random.pick(territory.rows), {
      username: territory.fresh(),
    }),
  'patch email': (random, territory) =>
    patch('patch email', territory, random.pick(territory.rows), {
      email: emailOf(territory.fresh()),
    }),
  'patch region': (random, territory) => {
    const row = random.pick(territory.rows);
    const region = random.pick(territory.regions.filter((other) => other !== row.region));
    const renamed = random.chance(0.5) ? { username: territory.fresh() } : {};
    return patch('patch region', territory, row, { region, ...renamed });
  },
  create: (random, territory) => {
    const { id: _, ...fields } = newRow(random, territory);
    return {
      kind: 'create',
      method: 'POST',
      path: '/users',
      body: fields,
      next: [...territory.rows, { id: undefined, ...fields }],
      status: 201,
      isRight: (body) => {
        const { id, ...others } = JSON.parse(body) as StoredRow;
        return Number.isInteger(id) && JSON.stringify(others) === JSON.stringify(fields);
      },
    };
  },
  delete: (random, territory) => {
    const { id } = random.pick(territory.rows);
    return {
      kind: 'delete',
      method: 'DELETE',
      path: `/users/${id}`,
      body: undefined,
      next: territory.rows.filter((row) => row.id !== id),
      status: 204,
      isRight: (body) => body === '',
    };
  },
  batch: (random, territory) => {
    const added = newRows(random, territory);
    return {
      kind: 'batch',
      method: 'POST',
      path: '/users/batch',
      body: { users: added.map(({ id: _, ...fields }) => fields) },
      next: [...territory.rows, ...added],
      status: 201,
      isRight: (body) => body === JSON.stringify({ inserted: added.length }),
    };
  },
  move: (random, territory) => {
    const [from, to] = random.shuffled(territory.regions) as [string, string];
    const moved = territory.rows.filter(({ region }) => region === from).length;
    return {
      kind: 'move',
      method: 'POST',
      path: `/regions/${from}/move`,
      body: { to },
      next: territory.rows.map((row) => (row.region === from ? { ...row, region: to } : row)),
      status: 200,
      isRight: (body) => body === JSON.stringify({ moved }),
    };
  },
  'taken username': (random, territory) => {
    const [row, other] = random.shuffled(territory.rows) as [StoredRow, StoredRow];
    const region = random.pick(territory.regions);
    return refused('taken username', 'PATCH', `/users/${row.id}`, 409, {
      username: other.username,
      region,
    });
  },
  'taken batch': (random, territory) => {
    const users = newRows(random, territory).map(({ id: _, ...fields }) => fields);
    const taken = { ...users[0], username: random.pick(territory.rows).username };
    return refused('taken batch', 'POST', '/users/batch', 409, { users: [...users, taken] });
  },
  'missing user': (random, territory) => {
    const id = territory.deleted.at(-1);
    if (id === undefined) return plans.delete(random, territory);
    if (random.chance(0.5)) return refused('missing user', 'DELETE', `/users/${id}`, 404);
    const region = random.pick(territory.regions);
    return refused('missing user', 'PATCH', `/users/${id}`, 404, { region });
  },
};

function patch(
  kind: Kind,
  territory: Territory,
  row: StoredRow,
  changes: Partial<Omit<Row, 'id'>>,
): WritePlan {
  const changed = { ...row, ...changes };
  const { id, username, region, email } = changed;
  const answer = JSON.stringify({ id, username, region, email });
  return {
    kind,
    method: 'PATCH',
    path: `/users/${row.id}`,
    body: changes,
    next: territory.rows.map((other) => (other === row ? changed : other)),
    status: 200,
    isRight: (body) => body === answer,
  };
}

function refused(
  kind: Kind,
  method: WritePlan['method'],
  path: string,
  status: number,
  body?: object,
): WritePlan {
  return { kind, method, path, body, next: undefined, status, isRight: () => true };
}

function newRows(random: SeededRandom, territory: Territory): Row[] {
  return Array.from({ length: random.integer(2, MAX_BATCH) }, () => newRow(random, territory));
}

function newRow(random: SeededRandom, territory: Territory): Row {
  const username = territory.fresh();
  const region = random.pick(territory.regions);
  return { id: undefined, username, region, email: emailOf(username) };
}

function emailOf(text: string): string {
  return `${text}@example.com`;
}
