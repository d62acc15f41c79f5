import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RegionsController } from './regions.controller.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/** Users and their regions over REST. */
@Module({
  imports: [TypeOrmModule.forFeature([User])],
  controllers: [UsersController, RegionsController],
  providers: [UsersService],
})
export class UsersModule {}
