/** What the routes of users and regions take and give: one schema validates and documents. */
import { z } from 'zod';
import {
  LARGEST_ID,
  emailSchema,
  idSchema,
  integerText,
  regionSchema,
  usernameSchema,
} from './user-fields.schema.js';

export const LARGEST_PAGE = 1000;
export const LARGEST_BATCH = 1000;

/** An object with these fields and no others. */
function fields<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, 'must be an object with the documented fields');
}

export const listUsersQuery = fields({
  region: regionSchema.optional().describe('Only users of this region'),
  limit: integerText(1, LARGEST_PAGE).default(LARGEST_PAGE).describe('Users a page'),
  after: integerText(0, LARGEST_ID)
    .optional()
    .describe('Only users with a larger id: the last id of the page before'),
});
export type ListUsersQuery = z.output<typeof listUsersQuery>;

/** Of routes that take no query parameters. */
export const noQuery = fields({});
export type NoQuery = z.output<typeof noQuery>;

export const userPath = fields({ id: integerText(1, LARGEST_ID) });
export type UserPath = z.output<typeof userPath>;

export const regionPath = fields({ region: regionSchema });
export type RegionPath = z.output<typeof regionPath>;

export const createUserBody = fields({
  username: usernameSchema,
  region: regionSchema,
  email: emailSchema,
});
export type CreateUserBody = z.output<typeof createUserBody>;

export const createUsersBody = fields({
  users: z
    .array(createUserBody, 'must be an array of users')
    .min(1, 'must have at least one user')
    .max(LARGEST_BATCH, `must have at most ${LARGEST_BATCH} users`),
});
export type CreateUsersBody = z.output<typeof createUsersBody>;

export const changeUserBody = fields({
  username: usernameSchema.exactOptional(),
  region: regionSchema.exactOptional(),
  email: emailSchema.exactOptional(),
}).refine((changes) => Object.keys(changes).length > 0, 'must change username, region or email');
export type ChangeUserBody = z.output<typeof changeUserBody>;

export const moveRegionBody = fields({ to: regionSchema });
export type MoveRegionBody = z.output<typeof moveRegionBody>;

export const userSummary = z.object({ id: idSchema, username: usernameSchema });
export type UserSummary = z.output<typeof userSummary>;

export const userDetails = z.object({ id: idSchema, ...createUserBody.shape });
export type UserDetails = z.output<typeof userDetails>;

export const insertedUsers = z.object({ inserted: z.int().min(1).max(LARGEST_BATCH) });
export type InsertedUsers = z.output<typeof insertedUsers>;

export const regionCount = z.object({ region: regionSchema, users: z.int().min(1) });
export type RegionCount = z.output<typeof regionCount>;

export const movedUsers = z.object({ moved: z.int().min(0) });
export type MovedUsers = z.output<typeof movedUsers>;
