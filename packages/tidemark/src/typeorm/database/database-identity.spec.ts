import { expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { fixedPasswordOf } from './database-identity.js';

const sourceWith = (options: object): DataSource =>
  ({ driver: { master: { options } } }) as unknown as DataSource;

it.each([
  ['an option', { password: 'secret' }, 'secret'],
  ['a URL, decoded', { connectionString: 'postgres://app:p%40ss@db/app' }, 'p@ss'],
  [
    'a URL rather than the option',
    { connectionString: 'postgres://a:url@db/app', password: 'option' },
    'url',
  ],
  ['the option of a URL without', { connectionString: 'postgres://db/app', password: 'x' }, 'x'],
  ['nothing', { connectionString: 'postgres://app@db/app' }, undefined],
  ['a text that is no URL', { connectionString: '/var/run/postgresql' }, undefined],
  ['a function, which may give another one', { password: () => 'new' }, undefined],
])('fixedPasswordOf: %s', (_title, options, password) => {
  expect(fixedPasswordOf(sourceWith(options))).toBe(password);
});
