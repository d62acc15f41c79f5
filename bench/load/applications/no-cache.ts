/** No cache: every read and every write goes to the database. */
import { Body, Controller, Get, Param, Patch, Put, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { serve } from './serve.js';
import {
  changeUser,
  databaseModule,
  saveUser,
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

  @Put(':id/email')
  save(@Param('id') id: string): Promise<UserDetails> {
    return saveUser(this.source, Number(id));
  }
}

await serve({ imports: [databaseModule()], controllers: [UsersController] });
