import { Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheInvalidationModule, QueryCacheModule } from '@tidemark/nestjs';
import { UsersModule } from './users/users.module.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL,
      autoLoadEntities: true,
      synchronize: true, // while you try it; migrations later
    }),
    QueryCacheModule.forRoot({
      redis: { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' },
    }),
    CacheInvalidationModule.forRoot(),
    GraphQLModule.forRoot<MercuriusDriverConfig>({ driver: MercuriusDriver, autoSchemaFile: true }),
    UsersModule,
  ],
})
export class AppModule {}
