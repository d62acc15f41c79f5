import { Injectable } from '@nestjs/common';
import {
  CacheInvalidationModule,
  defineQuery,
  InjectQueryCache,
  type QueryCache,
  QueryCacheModule,
} from '@tidemark/nestjs';
import { User } from './user.entity.js';

export const modules = () => [
  QueryCacheModule.forRoot({ dataSource: 'reporting' }),
  CacheInvalidationModule.forRoot({ dataSource: 'reporting' }),
];

export const sales = defineQuery({
  name: 'sales',
  dataSource: 'reporting',
  build: (source, p: { region: string }) =>
    source.getRepository(User).createQueryBuilder('u').where('u.region = :region', p),
});

@Injectable()
export class SalesService {
  constructor(@InjectQueryCache('reporting') private readonly cache: QueryCache) {}

  list(region: string): Promise<User[]> {
    return this.cache.run(sales.bind({ region }));
  }
}
