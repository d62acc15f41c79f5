/**
 * Real: PostgreSQL, HTTP. A refused write is answered with 503 and Retry-After, with and without an exception filter of
 * the application.
 */
import { afterEach, describe, expect, it } from 'vitest';
import {
  Catch,
  ConflictException,
  Controller,
  HttpException,
  Post,
  type ArgumentsHost,
  type ExceptionFilter,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { DataSource } from 'typeorm';
import type { FastifyReply } from 'fastify';
import { WriteRefusedError } from '../../src/index.js';
import { Part } from '../start/started-application.js';
import { startAdopter, type Adopter } from './adopter.js';

/** Redis cannot be reached. */
const AWAY = { redis: 'redis://127.0.0.1:1' };

@Controller()
class Writes {
  static error: unknown;

  constructor(private readonly source: DataSource) {}

  @Post('write')
  async write(): Promise<void> {
    try {
      await this.source.getRepository(Part).insert({ id: 1, name: 'bolt' });
    } catch (error) {
      Writes.error = error;
      throw error;
    }
  }

  @Post('conflict')
  conflict(): never {
    throw new ConflictException('Taken.');
  }
}

@Catch()
class Everything implements ExceptionFilter {
  catch(error: Error, host: ArgumentsHost): void {
    const status = error instanceof HttpException ? error.getStatus() : 500;
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    void reply.status(status).send({ worded: 'by the application' });
  }
}

let adopter: Adopter | undefined;
afterEach(() => adopter?.stop());

async function post(url: string, providers: Provider[], isGlobal = false) {
  adopter = await startAdopter({
    entities: [Part],
    cache: AWAY,
    invalidation: { writePolicy: 'refuse' },
    controllers: [Writes],
    providers,
    configure: (app) => isGlobal && app.useGlobalFilters(new Everything()),
  });
  const { statusCode, headers, body } = await adopter.inject({ method: 'POST', url });
  return { statusCode, retryAfter: headers['retry-after'], body: JSON.parse(body) as unknown };
}

const WORDED = { worded: 'by the application' };

describe('a refused write over HTTP', () => {
  it('is 503 with Retry-After, and the error is of both classes', async () => {
    expect(await post('/write', [])).toEqual({
      statusCode: 503,
      retryAfter: '1',
      body: { statusCode: 503, message: expect.stringContaining('nothing was changed') },
    });
    expect(Writes.error).toBeInstanceOf(WriteRefusedError);
    expect(Writes.error).toBeInstanceOf(HttpException);
    expect(Writes.error).toMatchObject({ code: 'TIDEMARK_WRITE_REFUSED', retryAfterSeconds: 1 });
    expect(await adopter?.source.getRepository(Part).count()).toBe(0);
  });

  it.each<[string, Provider[], boolean]>([
    ['APP_FILTER', [{ provide: APP_FILTER, useClass: Everything }], false],
    ['useGlobalFilters', [], true],
  ])('is worded by the filter of the application: %s', async (_where, providers, isGlobal) => {
    const answer = await post('/write', providers, isGlobal);
    expect(answer).toEqual({ statusCode: 503, retryAfter: '1', body: WORDED });
  });

  it('leaves other exceptions as they are', async () => {
    expect(await post('/conflict', [])).toMatchObject({ statusCode: 409, retryAfter: undefined });
  });
});
