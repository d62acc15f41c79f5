import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { QueryCache } from '@tidemark/nestjs';
import { outcomesOf, type RecordedOutcomes } from '@tidemark/nestjs/testing';
import request from 'supertest';
import type { App } from 'supertest/types';
import { AppModule } from '../src/app.module';

describe('GET /users', () => {
  let app: INestApplication<App>;
  let outcomes: RecordedOutcomes;

  const list = () => request(app.getHttpServer()).get('/users?region=AQ');

  /** Tables that have just been written bypass the cache for a moment. */
  const listUntilHit = async () => {
    do await list().expect(200);
    while (outcomes.of('users.in-region').at(-1) !== 'L1');
  };

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = module.createNestApplication();
    await app.init();
    outcomes = outcomesOf(app.get(QueryCache));
  });

  afterAll(() => app.close());

  it('answers from the cache until a user of the region is created', async () => {
    await listUntilHit();
    const user = { username: 'ann', region: 'AQ' };
    await request(app.getHttpServer()).post('/users').send(user).expect(201);
    const { body } = await list().expect(200);
    expect(body).toEqual([expect.objectContaining({ username: 'ann' })]);
    expect(outcomes.of('users.in-region').at(-1)).not.toBe('L1');
  });
});
