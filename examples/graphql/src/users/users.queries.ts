import { defineQuery } from '@tidemark/nestjs';
import type { DataSource } from 'typeorm';
import { User } from './user.entity.js';

export const usersInRegion = defineQuery({
  name: 'users.in-region',
  build: (source: DataSource, { region }: { region: string }) =>
    source
      .getRepository(User)
      .createQueryBuilder('user')
      .where('user.region = :region', { region })
      .orderBy('user.id'),
});
