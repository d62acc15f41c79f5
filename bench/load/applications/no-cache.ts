/** No cache: every read and every write goes to the database. */
import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { serve } from './serve.js';
import {
  changeUser,
  databaseModule,
  summaries,
  usersPage,
  type PageQuery,
  type User,
  type UserDetails,
  type UserSummary,
} from './users.js';

@Controller('users')
class UsersController {
  constructor(private readonly source: DataSource) {}

  @Get()
  async list(@Query() query: PageQuery): Promise<UserSummary[]> {
    return summaries(await usersPage(this.source, query).getMany());
  }

  @Patch(':id')
  change(
    @Param('id') id: string,
    @Body() changes: Partial<User>,
  ): Promise<UserDetails | undefined> {
    return changeUser(this.source, Number(id), changes);
  }
}

await serve({ imports: [databaseModule()], controllers: [UsersController] });
