import { expect, it } from 'vitest';
import { parseConfig } from './config/config.js';
import { greeting } from './greeting.js';

const TOKEN = 'a-token-of-more-than-16';
const ADDRESS = 'http://localhost:3000';

const pageLine = (used: string | undefined, given: string | undefined): string | undefined => {
  const config = { ...parseConfig({}), databaseUrl: 'postgres://h/d', cacheAdminToken: used };
  const lines = greeting(ADDRESS, { config, embedded: undefined }, { cacheAdminToken: given });
  return lines.find((line) => line.startsWith('Page:'));
};

it.each([
  [
    'no token: how to open the page',
    undefined,
    undefined,
    'closed (set CACHE_ADMIN_TOKEN to open /tidemark)',
  ],
  ['a token of the environment: the link alone', TOKEN, TOKEN, `${ADDRESS}/tidemark`],
  [
    'a token made at this start: the link and the token',
    TOKEN,
    undefined,
    `${ADDRESS}/tidemark, token ${TOKEN}`,
  ],
])('%s', (_, used, given, expected) => {
  expect(pageLine(used, given)).toBe(`Page: ${expected}`);
});
