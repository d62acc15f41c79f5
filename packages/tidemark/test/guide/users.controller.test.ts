import { expect, it } from 'vitest';
import { Test } from '@nestjs/testing';
import { getRepositoryToken, TypeOrmModule } from '@nestjs/typeorm';
import { QueryCache } from '@tidemark/nestjs';
import { CacheTestingModule, fakeQueryCache, outcomesOf } from '@tidemark/nestjs/testing';
import { DataSource } from 'typeorm';
import { ReportService } from './services.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { usersInRegion } from './users.queries.js';

it('a service without database', async () => {
  const cache = fakeQueryCache({ 'users.in-region': [{ id: 1, username: 'ada' }] });
  const service = new ReportService(cache, {} as DataSource);
  expect(await service.names('EU')).toEqual(['ada']);
});

it('a module without database', async () => {
  const testing = await Test.createTestingModule({
    imports: [
      CacheTestingModule.passThrough({
        answers: { 'users.in-region': (p: { region: string }) => [{ id: 1, username: p.region }] },
      }),
    ],
    controllers: [UsersController],
    providers: [{ provide: getRepositoryToken(User), useValue: {} }],
  }).compile();
  expect(await testing.get(QueryCache).run(usersInRegion.bind({ region: 'EU' }))).toEqual([
    { id: 1, username: 'EU' },
  ]);
});

it('hits, over a real database', async () => {
  const testing = await Test.createTestingModule({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: process.env.TEST_DATABASE_URL ?? 'postgres://localhost/test',
        entities: [User],
        synchronize: true,
      }),
      CacheTestingModule.inMemory(),
    ],
  }).compile();
  await testing.init();
  const cache = testing.get(QueryCache);
  const outcomes = outcomesOf(cache);
  const read = () => cache.run(usersInRegion.bind({ region: 'EU' }));

  await outcomes.until('users.in-region', 'hit', read);
  outcomes.clear();

  const users = testing.get(DataSource).getRepository(User);
  await users.insert({ username: 'grace', region: 'US' });
  await read();
  outcomes.expect('users.in-region', 'hit'); // the write was in another region

  await users.insert({ username: 'ada', region: 'EU' });
  expect(await read()).toHaveLength(1);
  await testing.close();
});
