/** The table of users and the page that every contender answers with. */
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  Column,
  Entity,
  PrimaryGeneratedColumn,
  type DataSource,
  type DataSourceOptions,
  type SelectQueryBuilder,
} from 'typeorm';
import { POOL_SIZE, setting } from './settings.js';

@Entity('users')
export class User {
  @PrimaryGeneratedColumn('identity', { type: 'integer' })
  id: number;

  @Column({ type: 'varchar', length: 80 })
  username: string;

  @Column({ type: 'varchar', length: 10 })
  region: string;

  @Column({ type: 'varchar', length: 120 })
  email: string;
}

/** The query string, as it comes. */
export interface PageQuery {
  readonly region?: string;
  readonly limit?: string;
  readonly after?: string;
}

export interface UserSummary {
  readonly id: number;
  readonly username: string;
}

export interface UserDetails extends UserSummary {
  readonly region: string;
  readonly email: string;
}

export function usersPage(
  source: DataSource,
  { region, limit = '1000', after }: PageQuery,
): SelectQueryBuilder<User> {
  const users = source
    .getRepository(User)
    .createQueryBuilder('user')
    .select(['user.id', 'user.username'])
    .orderBy('user.id')
    .limit(Number(limit));
  if (region !== undefined) users.andWhere('user.region = :region', { region });
  if (after !== undefined) users.andWhere('user.id > :after', { after: Number(after) });
  return users;
}

export function summaries(users: readonly User[]): UserSummary[] {
  return users.map(({ id, username }) => ({ id, username }));
}

/** The statement that the service sends for a PATCH, and its answer. */
export async function changeUser(
  source: DataSource,
  id: number,
  changes: Partial<Pick<User, 'username' | 'region' | 'email'>>,
): Promise<UserDetails | undefined> {
  const result = await source
    .getRepository(User)
    .createQueryBuilder()
    .update()
    .set(changes)
    .where('id = :id', { id })
    .returning(['id', 'username', 'region', 'email'])
    .execute();
  return (result.raw as UserDetails[])[0];
}

/** Users whose emails are saved, as they were loaded before. */
const loaded = new Map<number, User>();
let saved = 0;

/**
 * Saves a loaded user with another email: TypeORM reads the row again and writes it in a transaction of
 * its own.
 */
export async function saveUser(source: DataSource, id: number): Promise<UserDetails> {
  const users = source.getRepository(User);
  const user = loaded.get(id) ?? (await users.findOneByOrFail({ id }));
  loaded.set(id, user);
  saved += 1;
  user.email = `saved${saved}@example.com`;
  return users.save(user);
}

/** The pages that are kept while users are written: of all users, and of a region. */
export function keptPages({ region }: UserDetails): readonly PageQuery[] {
  return [{ limit: '1000' }, { limit: '100', region }];
}

/** @param cache TypeORM's own, where the contender is that. */
export function databaseModule(cache?: DataSourceOptions['cache']) {
  return TypeOrmModule.forRoot({
    type: 'postgres',
    url: setting('DATABASE_URL'),
    entities: [User],
    poolSize: POOL_SIZE,
    ...(cache === undefined ? {} : { cache }),
  });
}
