import { Body, Controller, Get, Param, ParseIntPipe, Post, Query, UseGuards } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { CacheQuery, seconds } from '@tidemark/nestjs';
import { Repository } from 'typeorm';
import { KeyGuard } from './key.guard';
import { User } from './user.entity';
import { userById, usersInRegion } from './users.queries';

@Controller('users')
export class UsersController {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  /** Returns the query: Tidemark runs it, or replays its stored answer. */
  @Get()
  @CacheQuery({ ttl: seconds(300) })
  list(@Query('region') region = 'US') {
    return usersInRegion.bind({ region });
  }

  @Get(':id')
  @CacheQuery()
  read(@Param('id', ParseIntPipe) id: number) {
    return userById.bind({ id });
  }

  /** Guards run on every request, also where the answer is stored. */
  @Get(':id/private')
  @UseGuards(KeyGuard)
  @CacheQuery()
  readPrivately(@Param('id', ParseIntPipe) id: number) {
    return userById.bind({ id });
  }

  /** Nothing here names the cached answers that the write ends. */
  @Post()
  create(@Body() { username, region }: Pick<User, 'username' | 'region'>) {
    return this.users.save({ username, region });
  }
}
