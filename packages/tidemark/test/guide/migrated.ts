import { Controller, Get, Injectable, Query } from '@nestjs/common';
import { CacheQuery, minutes, QueryCache } from '@tidemark/nestjs';
import { DataSource, type Repository } from 'typeorm';
import { User } from './user.entity.js';
import { usersInRegion } from './users.queries.js';

@Controller('users')
export class UsersController {
  @Get()
  @CacheQuery({ ttl: minutes(1) })
  list(@Query('region') region: string) {
    return usersInRegion.bind({ region });
  }
}

@Injectable()
export class UsersService {
  readonly #users: Repository<User>;

  constructor(
    private readonly cache: QueryCache,
    source: DataSource,
  ) {
    this.#users = source.getRepository(User);
  }

  list(region: string): Promise<User[]> {
    return this.cache.run(
      this.#users.createQueryBuilder('u').where('u.region = :region', { region }),
      { ttl: minutes(1) },
    );
  }

  async rename(user: User, username: string): Promise<void> {
    await this.#users.save({ ...user, username });
  }
}
