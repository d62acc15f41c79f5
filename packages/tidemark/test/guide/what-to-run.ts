import {
  asQuery,
  countQuery,
  defineQuery,
  existsQuery,
  findAndCountQuery,
  findOneQuery,
  findQuery,
  sqlQuery,
} from '@tidemark/nestjs';
import type { SelectQueryBuilder } from 'typeorm';
import { User } from './user.entity.js';

export const byRegion = defineQuery({
  name: 'users.by-region',
  shape: 'many-and-count', // default: 'many'; also 'one', 'raw', 'count', 'exists'
  entity: User,
  find: (p: { region: string }) => ({ where: p, order: { id: 'ASC' }, take: 10 }), // or `build`, or `sql` and `parameters`
  map: ({ id, username }) => ({ id, username }), // an item
  answer: ([items, total]) => ({ items, total }), // the whole answer
});

export const inline = (region: string, id: number, builder: SelectQueryBuilder<User>) => [
  findQuery(User, { where: { region } }),
  findOneQuery(User, { where: { id } }), // 404 if there is none
  findAndCountQuery(User, { take: 10 }),
  countQuery(User),
  existsQuery(User, { where: { region } }),
  sqlQuery('SELECT region, count(*) FROM users GROUP BY region'),
  asQuery(builder, { shape: 'one' }), // a builder of another shape than 'many'
  builder, // its entities
];
