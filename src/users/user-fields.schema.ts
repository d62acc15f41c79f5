import { z } from 'zod';

/** Largest value of a PostgreSQL `integer`, the type of a user's id. */
export const LARGEST_ID = 2_147_483_647;

const USERNAME = 'must be a text of 1 to 80 characters, none of them NUL';
const REGION = 'must be 1 to 10 characters out of A-Z a-z 0-9 _ -';
const EMAIL = 'must be an address like name@example.com, of at most 120 characters';

// The `u` flag counts code points, as PostgreSQL's varchar does. NUL and unpaired surrogates
// cannot be stored as they were sent.
export const usernameSchema = z
  .string(USERNAME)
  .regex(/^[^\0\p{Cs}]{1,80}$/u, USERNAME)
  .meta({ minLength: 1, maxLength: 80, pattern: undefined, examples: ['ada'] });

export const regionSchema = z
  .string(REGION)
  .regex(/^[A-Za-z0-9_-]{1,10}$/, REGION)
  .meta({ examples: ['US'] });

export const emailSchema = z
  .string(EMAIL)
  .max(120, { error: EMAIL, abort: true })
  .pipe(z.email(EMAIL))
  .meta({ type: 'string', format: 'email', maxLength: 120, examples: ['ada@example.com'] });

export const idSchema = z
  .int()
  .min(1)
  .max(LARGEST_ID)
  .meta({ description: 'Chosen by the database', examples: [7] });

/**
 * An integer in a path or a query string, written in plain decimal digits: no sign, space,
 * leading zero or exponent, so that one number has one spelling.
 */
export function integerText(least: number, most: number) {
  const problem = `must be an integer from ${least} to ${most}`;
  return z
    .string(problem)
    .regex(/^(?:0|[1-9][0-9]{0,9})$/, { error: problem, abort: true })
    .transform(Number)
    .pipe(z.number().min(least, problem).max(most, problem))
    .meta({ type: 'integer', minimum: least, maximum: most, pattern: undefined });
}
