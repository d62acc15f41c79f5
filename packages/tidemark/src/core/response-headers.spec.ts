import { describe, expect, it } from 'vitest';
import { isStorableHeader, storableHeaders, ResponseHeaderError } from './response-headers.js';

describe('the response headers of a stored answer', () => {
  it.each([
    'link',
    'Link',
    'content-language',
    'x-total-count',
    'X-Next-Cursor',
    'x-page',
    'x-real-estate',
    'content-disposition',
  ])('may have the name %s', (name) => {
    const headers = { [name]: 'a value' };
    expect(storableHeaders('users', headers)).toEqual(headers);
  });

  it.each([
    ...['set-cookie', 'Set-Cookie', 'content-type', 'content-encoding', 'content-length', 'etag'],
    ...['transfer-encoding', 'cache-control', 'vary', 'location', 'www-authenticate', 'connection'],
    ...['access-control-allow-origin', 'content-security-policy', 'x-frame-options', 'status'],
    ...[
      'x-accel-redirect',
      'x-content-type-options',
      'x-forwarded-for',
      'x-',
      'x-a b',
      '__proto__',
    ],
  ])('may not have the name %s, and the query is named', (name) => {
    expect(isStorableHeader(name, 'a')).toBe(false);
    const headers = Object.fromEntries([[name, 'a']]);
    const give = (): unknown => storableHeaders('users.page', headers);
    expect(give).toThrow(ResponseHeaderError);
    expect(give).toThrow(`The query users.page gives the response header ${JSON.stringify(name)}`);
  });

  it.each([['a\r\nset-cookie: b'], ['ü'], ['\u0000'], [{}]])(
    'may not have the value %j',
    (value) => {
      const give = (): unknown => storableHeaders('users', { link: value });
      expect(give).toThrow('whose value is not a text of visible ASCII');
    },
  );

  it('are texts of numbers, and none where the value is undefined', () => {
    expect(storableHeaders('users', { 'x-total-count': 7, link: undefined })).toEqual({
      'x-total-count': '7',
    });
  });
});
