import { BadRequestException, ConflictException, HttpException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { QueryFailedError } from 'typeorm';
import { WriteRefusedError } from '@tidemark/nestjs';
import { problemOfError } from './problem-of-error.js';

describe('problemOfError', () => {
  it('reveals nothing of an unknown error', () => {
    const problem = problemOfError(new Error('password=s3cret'));
    expect(problem).toMatchObject({ status: 500, kind: 'internal' });
    expect(JSON.stringify(problem)).not.toContain('s3cret');
  });

  it('reveals nothing of a failed statement', () => {
    const driver = Object.assign(new Error('duplicate key (ada)'), { code: '23505' });
    const problem = problemOfError(new QueryFailedError('INSERT', ['ada'], driver));
    expect(problem.status).toBe(500);
    expect(JSON.stringify(problem)).not.toContain('ada');
  });

  it('keeps the faulty fields of an exception', () => {
    const errors = [{ field: 'username', problem: 'is taken', remedy: 'Choose another.' }];
    expect(problemOfError(new ConflictException({ message: 'Taken.', errors }))).toEqual({
      status: 409,
      detail: 'Taken.',
      errors,
    });
  });

  it('omits errors that do not have the form of faulty fields', () => {
    const problem = problemOfError(new BadRequestException({ message: 'No', errors: ['x'] }));
    expect(problem).toEqual({ status: 400, detail: 'No.', errors: undefined });
  });

  it('uses a plain text as the detail', () => {
    expect(problemOfError(new HttpException('I am a teapot', 418))).toEqual({
      status: 418,
      detail: 'I am a teapot.',
    });
  });

  it('answers a refused write with 503 and Retry-After: 1', () => {
    const refused = new WriteRefusedError(new Error('Redis is away'));
    expect(problemOfError(refused)).toEqual({
      status: 503,
      kind: 'write-refused',
      detail: refused.message,
      headers: { 'retry-after': '1' },
    });
  });

  it('answers an unavailable database with 503 and Retry-After: 5', () => {
    const away = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), {
      code: 'ECONNREFUSED',
    });
    const problem = problemOfError(away);
    expect(problem).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    expect(problem.detail).not.toContain('10.0.0.1');
  });

  it('uses the status of a client error of Fastify', () => {
    const error = Object.assign(new Error('Body is not valid'), { code: 'FST_X', statusCode: 400 });
    expect(problemOfError(error)).toEqual({ status: 400, detail: 'Body is not valid.' });
  });

  it('ignores the status of other errors', () => {
    const error = Object.assign(new Error('row 7'), { code: 'OTHER', statusCode: 404 });
    expect(problemOfError(error).status).toBe(500);
  });
});
