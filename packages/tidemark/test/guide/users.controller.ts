import { Body, Controller, Get, Param, ParseIntPipe, Patch, Query } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { CacheQuery, seconds } from '@tidemark/nestjs';
import type { Repository } from 'typeorm';
import { User } from './user.entity.js';
import { userById, usersInRegion } from './users.queries.js';

@Controller('users')
export class UsersController {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  @Get()
  @CacheQuery({ ttl: seconds(300) })
  list(@Query('region') region: string) {
    return usersInRegion.bind({ region });
  }

  @Get(':id')
  @CacheQuery()
  one(@Param('id', ParseIntPipe) id: number) {
    return userById.bind({ id });
  }

  @Patch(':id')
  async rename(@Param('id', ParseIntPipe) id: number, @Body() body: { username: string }) {
    await this.users.update(id, { username: body.username }); // that is all
  }
}
