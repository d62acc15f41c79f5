import { defineQuery } from '@tidemark/nestjs';
import type { DataSource } from 'typeorm';
import { User } from './user.entity';

export const usersInRegion = defineQuery({
  name: 'users.in-region',
  build: (source: DataSource, { region }: { region: string }) =>
    source
      .getRepository(User)
      .createQueryBuilder('user')
      .where('user.region = :region', { region })
      .orderBy('user.id'),
  map: ({ id, username }: User) => ({ id, username }),
  headers: (users): Record<string, string> => ({ 'x-total-count': String(users.length) }),
});

export const userById = defineQuery({
  name: 'users.by-id',
  shape: 'one',
  build: (source: DataSource, { id }: { id: number }) =>
    source.getRepository(User).createQueryBuilder('user').where('user.id = :id', { id }),
  absent: ({ id }) => `There is no user ${id}.`,
});
