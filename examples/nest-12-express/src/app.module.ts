import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheInvalidationModule, QueryCacheModule } from '@tidemark/nestjs';
import { CachePageModule } from '@tidemark/nestjs/page';
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
    // At /tidemark; closed without a token.
    CachePageModule.forRoot({ token: process.env.TIDEMARK_TOKEN }),
    UsersModule,
  ],
})
export class AppModule {}
