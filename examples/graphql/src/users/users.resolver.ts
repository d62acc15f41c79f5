import { UseInterceptors } from '@nestjs/common';
import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { InjectRepository } from '@nestjs/typeorm';
import { CacheInterceptor } from '@tidemark/nestjs';
import { Repository } from 'typeorm';
import { User } from './user.entity.js';
import { usersInRegion } from './users.queries.js';

@Resolver(() => User)
export class UsersResolver {
  constructor(@InjectRepository(User) private readonly repository: Repository<User>) {}

  /** Returns the query. GraphQL gets its answer, stored or not, as entities. */
  @Query(() => [User])
  @UseInterceptors(CacheInterceptor)
  users(@Args('region') region: string) {
    return usersInRegion.bind({ region });
  }

  @Mutation(() => User)
  createUser(@Args('username') username: string, @Args('region') region: string) {
    return this.repository.save({ username, region });
  }
}
