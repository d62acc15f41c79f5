import { expect } from 'vitest';
import type { Answer } from './answer.js';

/** Checks that the answer is a problem document (RFC 9457) that names the field, if one is given. */
export function expectProblem(answer: Answer, status: number, field?: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(answer.json).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    status,
    detail: expect.any(String),
  });
  if (field === undefined) return;
  expect(answer.json).toMatchObject({
    errors: expect.arrayContaining([
      { field, problem: expect.stringMatching(/./), remedy: expect.stringMatching(/./) },
    ]),
  });
}
