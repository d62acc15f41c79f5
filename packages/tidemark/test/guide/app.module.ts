import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheInvalidationModule, QueryCacheModule } from '@tidemark/nestjs';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL ?? 'postgres://localhost/app',
      entities: [User],
      synchronize: true, // while you try it; migrations later
    }),
    TypeOrmModule.forFeature([User]),
    QueryCacheModule.forRoot({ redis: process.env.REDIS_URL }),
    CacheInvalidationModule.forRoot(),
  ],
  controllers: [UsersController],
})
export class AppModule {}
