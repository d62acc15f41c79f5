/** The input and output of the routes for users and regions: one schema both validates and documents. */
import { z } from 'zod';

/** Largest value of a PostgreSQL `integer`, the type of a user's id. */
const MAX_ID = 2_147_483_647;
const MAX_PAGE = 1000;
const MAX_BATCH = 1000;

const USERNAME = 'must be a text of 1 to 80 characters, none of them NUL';
const REGION = 'must be 1 to 10 characters out of A-Z a-z 0-9 _ -';
const EMAIL = 'must be an address like name@example.com, of at most 120 characters';

// The `u` flag counts code points, as PostgreSQL's varchar does. NUL and unpaired surrogates cannot be stored
// unchanged.
const username = z
  .string(USERNAME)
  .regex(/^[^\0\p{Cs}]{1,80}$/u, USERNAME)
  .meta({ minLength: 1, maxLength: 80, pattern: undefined, examples: ['ada'] });

const region = z
  .string(REGION)
  .regex(/^[A-Za-z0-9_-]{1,10}$/, REGION)
  .meta({ examples: ['US'] });

const email = z
  .string(EMAIL)
  .max(120, { error: EMAIL, abort: true })
  .pipe(z.email(EMAIL))
  .meta({ type: 'string', format: 'email', maxLength: 120, examples: ['ada@example.com'] });

const id = z
  .int()
  .min(1)
  .max(MAX_ID)
  .meta({ description: 'Chosen by the database', examples: [7] });

/** An integer in a path or a query string. Only one spelling is valid: no sign, space, leading zero or exponent. */
function integerText(least: number, most: number) {
  const problem = `must be an integer from ${least} to ${most}`;
  return z
    .string(problem)
    .regex(/^(?:0|[1-9][0-9]{0,9})$/, { error: problem, abort: true })
    .transform(Number)
    .pipe(z.number().min(least, problem).max(most, problem))
    .meta({ type: 'integer', minimum: least, maximum: most, pattern: undefined });
}

/** An object with exactly these fields. */
function fields<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, 'must be an object with the documented fields');
}

export const listUsersQuery = fields({
  region: region.optional().describe('Only users of this region'),
  limit: integerText(1, MAX_PAGE).default(MAX_PAGE).describe('Users a page'),
  after: integerText(0, MAX_ID)
    .optional()
    .describe('Only users with a larger id: the last id of the page before'),
});
export type ListUsersQuery = z.output<typeof listUsersQuery>;

/** For routes without query parameters. */
export const noQuery = fields({});

export const userPath = fields({ id: integerText(1, MAX_ID) });
export type UserPath = z.output<typeof userPath>;

export const regionPath = fields({ region });
export type RegionPath = z.output<typeof regionPath>;

export const createUserBody = fields({ username, region, email });
export type CreateUserBody = z.output<typeof createUserBody>;

export const createUsersBody = fields({
  users: z
    .array(createUserBody, 'must be an array of users')
    .min(1, 'must have at least one user')
    .max(MAX_BATCH, `must have at most ${MAX_BATCH} users`),
});
export type CreateUsersBody = z.output<typeof createUsersBody>;

export const changeUserBody = fields({
  username: username.exactOptional(),
  region: region.exactOptional(),
  email: email.exactOptional(),
}).refine((changes) => Object.keys(changes).length > 0, 'must change username, region or email');
export type ChangeUserBody = z.output<typeof changeUserBody>;

export const moveRegionBody = fields({ to: region });
export type MoveRegionBody = z.output<typeof moveRegionBody>;

export const userSummary = z.object({ id, username });
export type UserSummary = z.output<typeof userSummary>;

export const userDetails = z.object({ id, username, region, email });
export type UserDetails = z.output<typeof userDetails>;

export const regionCount = z.object({ region, users: z.int().min(1) });
export type RegionCount = z.output<typeof regionCount>;

export const insertedUsers = z.object({ inserted: z.int().min(1).max(MAX_BATCH) });
export const movedUsers = z.object({ moved: z.int().min(0) });
