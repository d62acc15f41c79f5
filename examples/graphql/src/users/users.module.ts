import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { OutcomeLog } from './outcome-log.js';
import { User } from './user.entity.js';
import { UsersMessages } from './users.messages.js';
import { UsersResolver } from './users.resolver.js';

@Module({
  imports: [TypeOrmModule.forFeature([User])],
  controllers: [UsersMessages],
  providers: [UsersResolver, OutcomeLog],
})
export class UsersModule {}
