import { defineQuery } from '@tidemark/nestjs';
import { User } from './user.entity.js';

export const usersInRegion = defineQuery({
  name: 'users.in-region',
  build: (source, p: { region: string }) =>
    source
      .getRepository(User)
      .createQueryBuilder('u')
      .where('u.region = :region', p)
      .orderBy('u.id'),
  map: ({ id, username }) => ({ id, username }),
});

export const userById = defineQuery({
  name: 'users.by-id',
  shape: 'one',
  build: (source, p: { id: number }) =>
    source.getRepository(User).createQueryBuilder('u').where('u.id = :id', p),
  absent: ({ id }) => `There is no user ${id}.`,
});
