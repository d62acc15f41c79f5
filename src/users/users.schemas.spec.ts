import { describe, expect, it } from 'vitest';
import type { ZodType } from 'zod';
import {
  changeUserBody,
  createUserBody,
  createUsersBody,
  listUsersQuery,
  moveRegionBody,
  regionPath,
  userPath,
} from './users.schemas.js';

const ADA = { username: 'ada', region: 'US', email: 'ada@example.com' };
const manyUsers = (count: number) => Array.from({ length: count }, () => ADA);

function fieldAtFault(schema: ZodType, input: unknown): string {
  const issue = schema.safeParse(input).error?.issues[0];
  if (!issue) throw new Error(`${JSON.stringify(input)} was accepted`);
  return issue.code === 'unrecognized_keys' ? `${issue.keys[0]}` : issue.path.join('.');
}

describe('the list query', () => {
  it.each([
    [{}, { limit: 1000 }],
    [{ limit: '1' }, { limit: 1 }],
    [
      { limit: '1000', after: '0' },
      { limit: 1000, after: 0 },
    ],
    [{ after: '2147483647' }, { limit: 1000, after: 2147483647 }],
    [{ region: 'us-east_1' }, { limit: 1000, region: 'us-east_1' }],
  ])('accepts %j', (input, output) => {
    expect(listUsersQuery.parse(input)).toEqual(output);
  });

  it.each([
    ['limit', { limit: '0' }],
    ['limit', { limit: '1001' }],
    ['limit', { limit: '-1' }],
    ['limit', { limit: '+1' }],
    ['limit', { limit: '' }],
    ['limit', { limit: ' 5' }],
    ['limit', { limit: '5\n' }],
    ['limit', { limit: '05' }],
    ['limit', { limit: '1e2' }],
    ['limit', { limit: '0x10' }],
    ['limit', { limit: '1.0' }],
    ['limit', { limit: '٥' }],
    ['limit', { limit: 'all' }],
    ['limit', { limit: ['1', '2'] }],
    ['after', { after: '-1' }],
    ['after', { after: '' }],
    ['after', { after: '2147483648' }],
    ['after', { after: '99999999999999999999' }],
    ['region', { region: '' }],
    ['region', { region: 'elevenchars' }],
    ['region', { region: 'U S' }],
    ['region', { region: 'US\n' }],
    ['region', { region: 'ÜS' }],
    ['region', { region: ['US', 'EU'] }],
    ['regoin', { regoin: 'US' }],
  ])('refuses and names the field %s: %j', (field, input) => {
    expect(fieldAtFault(listUsersQuery, input)).toBe(field);
  });
});

describe('path parameters', () => {
  it('accept ids from 1 to 2147483647', () => {
    expect(userPath.parse({ id: '1' })).toEqual({ id: 1 });
    expect(userPath.parse({ id: '2147483647' })).toEqual({ id: 2147483647 });
  });

  it.each(['0', '-1', '2147483648', '1.5', 'seven', '07', ' 7'])('refuse the id %j', (id) => {
    expect(fieldAtFault(userPath, { id })).toBe('id');
  });

  it('refuse a region with other characters', () => {
    expect(fieldAtFault(regionPath, { region: 'a/b' })).toBe('region');
  });
});

describe('a user to create', () => {
  it.each([
    ADA,
    { ...ADA, username: 'x'.repeat(80) },
    { ...ADA, username: '🌊'.repeat(80) },
    { ...ADA, username: "o'hara; DROP TABLE users --" },
    { ...ADA, email: `${'a'.repeat(60)}@${'b'.repeat(55)}.com` },
  ])('may be %j', (input) => {
    expect(createUserBody.parse(input)).toEqual(input);
  });

  it.each([
    ['username', { ...ADA, username: '' }],
    ['username', { ...ADA, username: 'x'.repeat(81) }],
    ['username', { ...ADA, username: '🌊'.repeat(81) }],
    ['username', { ...ADA, username: 'a\0b' }],
    ['username', { ...ADA, username: 'a\ud800b' }],
    ['username', { ...ADA, username: 7 }],
    ['username', { ...ADA, username: null }],
    ['username', { region: 'US', email: 'a@b.co' }],
    ['region', { ...ADA, region: '' }],
    ['region', { ...ADA, region: 'elevenchars' }],
    ['email', { ...ADA, email: 'ada' }],
    ['email', { ...ADA, email: 'ada@' }],
    ['email', { ...ADA, email: `${'a'.repeat(60)}@${'b'.repeat(56)}.com` }],
    ['id', { ...ADA, id: 7 }],
    ['', null],
    ['', [ADA]],
    ['', undefined],
  ])('is refused and names the field %s: %j', (field, input) => {
    expect(fieldAtFault(createUserBody, input)).toBe(field);
  });
});

describe('a batch', () => {
  it('accepts 1 to 1,000 users', () => {
    expect(createUsersBody.parse({ users: manyUsers(1000) }).users).toHaveLength(1000);
    expect(fieldAtFault(createUsersBody, { users: [] })).toBe('users');
    expect(fieldAtFault(createUsersBody, { users: manyUsers(1001) })).toBe('users');
  });

  it('names the faulty user by index', () => {
    const users = [ADA, { ...ADA, email: 'no' }];
    expect(fieldAtFault(createUsersBody, { users })).toBe('users.1.email');
  });
});

describe('a change', () => {
  it.each([{ username: 'bea' }, { region: 'EU' }, { email: 'b@example.com' }])(
    'may be %j',
    (input) => {
      expect(changeUserBody.parse(input)).toEqual(input);
    },
  );

  it.each([
    ['', {}],
    ['region', { region: null }],
    ['region', { region: undefined }],
    ['id', { id: 8, region: 'EU' }],
  ])('is refused and names the field %s: %j', (field, input) => {
    expect(fieldAtFault(changeUserBody, input)).toBe(field);
  });
});

describe('a move of a region', () => {
  it('requires the target region, and accepts no other field', () => {
    expect(moveRegionBody.parse({ to: 'EU' })).toEqual({ to: 'EU' });
    expect(fieldAtFault(moveRegionBody, {})).toBe('to');
    expect(fieldAtFault(moveRegionBody, { to: 'EU', from: 'US' })).toBe('from');
  });
});
