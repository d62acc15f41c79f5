import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { minutes, QueryCache } from '@tidemark/nestjs';
import type { Repository } from 'typeorm';
import { User } from './user.entity.js';

@Injectable()
export class UsersService {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly cache: QueryCache,
  ) {}

  list(region: string): Promise<User[]> {
    return this.cache.find(User, { where: { region } }, { ttl: minutes(1) });
  }

  async rename(user: User, username: string): Promise<void> {
    await this.users.save({ ...user, username });
  }
}
