import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  HttpStatus,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiPreconditionFailedResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { CacheQuery, type Preconditions } from '@tidemark/nestjs';
import { userById, usersPage } from './users.queries.js';
import {
  changeUserBody,
  createUserBody,
  createUsersBody,
  insertedUsers,
  listUsersQuery,
  noQuery,
  userDetails,
  userPath,
  userSummary,
  type ChangeUserBody,
  type CreateUserBody,
  type CreateUsersBody,
  type ListUsersQuery,
  type UserDetails,
  type UserPath,
} from './users.schemas.js';
import { UsersService } from './users.service.js';

const IF_MATCH = { name: 'if-match', description: 'ETag of the user as it was read' } as const;
const PRECONDITION_FAILED = { description: 'The user is not as If-Match or If-None-Match says' };

@ApiTags('users')
@ApiBadRequestResponse({ description: 'A field is not as described; the answer names it' })
@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @CacheQuery()
  @ApiOperation({ summary: 'List users by id, a page at a time' })
  @ApiOkResponse({
    description: 'A page of users',
    standardSchema: z.array(userSummary),
    headers: {
      Link: { description: 'The next page, when this one is full', schema: { type: 'string' } },
    },
  })
  list(@Query({ schema: listUsersQuery }) query: ListUsersQuery) {
    return usersPage.bind(query);
  }

  @Get(':id')
  @CacheQuery()
  @ApiOperation({ summary: 'Read a user' })
  @ApiOkResponse({ description: 'The user', standardSchema: userDetails })
  @ApiNotFoundResponse({ description: 'There is no such user' })
  read(@Param({ schema: userPath }) path: UserPath, @Query({ schema: noQuery }) _: object) {
    return userById.bind(path);
  }

  @Post()
  @ApiOperation({ summary: 'Create a user' })
  @ApiCreatedResponse({
    description: 'The user',
    standardSchema: userDetails,
    headers: { Location: { description: 'Where to read the user', schema: { type: 'string' } } },
  })
  @ApiConflictResponse({ description: 'The username is taken' })
  async create(
    @Body({ schema: createUserBody }) body: CreateUserBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Query({ schema: noQuery }) _: object,
  ): Promise<UserDetails> {
    const user = await this.users.create(body);
    void reply.header('location', `/users/${user.id}`);
    return user;
  }

  @Post('batch')
  @ApiOperation({ summary: 'Create up to 1,000 users, all or none' })
  @ApiCreatedResponse({ description: 'How many were created', standardSchema: insertedUsers })
  @ApiConflictResponse({ description: 'A username is taken or comes twice' })
  createBatch(
    @Body({ schema: createUsersBody }) body: CreateUsersBody,
    @Query({ schema: noQuery }) _: object,
  ) {
    return this.users.createAll(body.users);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change some fields of a user' })
  @ApiOkResponse({ description: 'The user as it is now', standardSchema: userDetails })
  @ApiNotFoundResponse({ description: 'There is no such user' })
  @ApiConflictResponse({ description: 'The username is taken' })
  @ApiHeader(IF_MATCH)
  @ApiPreconditionFailedResponse(PRECONDITION_FAILED)
  change(
    @Param({ schema: userPath }) { id }: UserPath,
    @Body({ schema: changeUserBody }) body: ChangeUserBody,
    @Query({ schema: noQuery }) _: object,
    @Headers() conditions: Preconditions,
  ): Promise<UserDetails> {
    return this.users.change(id, body, conditions);
  }

  @Delete(':id')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({ summary: 'Delete a user' })
  @ApiNoContentResponse({ description: 'The user is gone' })
  @ApiNotFoundResponse({ description: 'There is no such user' })
  @ApiHeader(IF_MATCH)
  @ApiPreconditionFailedResponse(PRECONDITION_FAILED)
  remove(
    @Param({ schema: userPath }) { id }: UserPath,
    @Query({ schema: noQuery }) _: object,
    @Headers() conditions: Preconditions,
  ): Promise<void> {
    return this.users.remove(id, conditions);
  }
}
