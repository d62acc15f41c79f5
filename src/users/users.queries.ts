import type { DataSource } from 'typeorm';
import { defineQuery } from '@tidemark/nestjs';
import { User } from './user.entity.js';
import type {
  ListUsersQuery,
  RegionCount,
  UserDetails,
  UserPath,
  UserSummary,
} from './users.schemas.js';

/** One page of users by id, of one region or of all regions, with a link to the next page. */
export const usersPage = defineQuery({
  name: 'users.page',
  build: (source: DataSource, { region, limit, after }: ListUsersQuery) => {
    const users = source
      .getRepository(User)
      .createQueryBuilder('user')
      .select(['user.id', 'user.username'])
      .orderBy('user.id')
      .limit(limit);
    if (region !== undefined) users.andWhere('user.region = :region', { region });
    if (after !== undefined) users.andWhere('user.id > :after', { after });
    return users;
  },
  map: ({ id, username }: User): UserSummary => ({ id, username }),
  headers: (page, { region, limit }): Record<string, string> => {
    const last = page.at(-1);
    if (!last || page.length < limit) return {};
    const filter = region === undefined ? '' : `region=${encodeURIComponent(region)}&`;
    return { link: `</users?${filter}limit=${limit}&after=${last.id}>; rel="next"` };
  },
});

export function detailsOf({ id, username, region, email }: User): UserDetails {
  return { id, username, region, email };
}

/** One user with all fields. */
export const userById = defineQuery({
  name: 'users.by-id',
  shape: 'one',
  build: (source: DataSource, { id }: UserPath) =>
    source.getRepository(User).createQueryBuilder('user').where('user.id = :id', { id }),
  map: detailsOf,
  absent: ({ id }) => `There is no user ${id}.`,
});

interface RegionCountRow {
  region: string;
  /** A `bigint`, which the driver returns as text. */
  users: string;
}

/** The number of users of each region, sorted by region. */
export const regionCounts = defineQuery({
  name: 'regions.counts',
  shape: 'raw',
  build: (source: DataSource, _: Record<string, never>) =>
    source
      .createQueryBuilder()
      .from<RegionCountRow>('users', 'user')
      .select('user.region', 'region')
      .addSelect('COUNT(*)', 'users')
      .groupBy('user.region')
      .orderBy('user.region'),
  map: ({ region, users }): RegionCount => ({ region, users: Number(users) }),
});
