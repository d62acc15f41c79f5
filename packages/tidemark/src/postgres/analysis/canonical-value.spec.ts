import { describe, expect, it } from 'vitest';
import { canonicalValue, dimensionValue } from './canonical-value.js';

const UUID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';

describe('canonicalValue', () => {
  it.each([
    ['US', 'US'],
    ['', ''],
    [' US', ' US'],
    ['ü', 'ü'],
    [7, '7'],
    [-0, '0'],
    [7n, '7'],
    [true, 'true'],
    ['US ', undefined],
    ['U\0S', undefined],
    ['\ud800', undefined],
    [null, undefined],
    [undefined, undefined],
    [new Date(0), undefined],
    [['US'], undefined],
    [{}, undefined],
  ])('as text: %p is %p', (value, expected) => {
    expect(canonicalValue('text', value)).toBe(expected);
  });

  it.each([
    [7, '7'],
    [-0, '0'],
    [7n, '7'],
    ['7', '7'],
    ['+7', '7'],
    ['-07', '-7'],
    [' 7\n', '7'],
    ['-0', '0'],
    ['9007199254740993', '9007199254740993'],
    [9007199254740993n, '9007199254740993'],
    [2 ** 53, undefined],
    [7.5, undefined],
    [Number.NaN, undefined],
    ['7.0', undefined],
    ['1e3', undefined],
    ['0x1F', undefined],
    ['1_000', undefined],
    ['', undefined],
    ['- 7', undefined],
    ['+-7', undefined],
    ['٧', undefined],
    [true, undefined],
  ])('as integer: %p is %p', (value, expected) => {
    expect(canonicalValue('integer', value)).toBe(expected);
  });

  it.each([
    [UUID, UUID],
    [UUID.toUpperCase(), UUID],
    [UUID.replaceAll('-', ''), UUID],
    // PostgreSQL accepts these too: such a parameter restricts its table to no region.
    [`{${UUID}}`, undefined],
    ['a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11', undefined],
    [`{${UUID}`, undefined],
    [`${UUID}-`, undefined],
    [UUID.slice(1), undefined],
    [` ${UUID}`, undefined],
    ['', undefined],
    [7, undefined],
  ])('as uuid: %p is %p', (value, expected) => {
    expect(canonicalValue('uuid', value)).toBe(expected);
  });

  it.each([
    ...[true, 't', 'TRUE', ' yes ', 'y', 'on', '1', 1].map((value) => [value, 'true'] as const),
    ...[false, 'f', 'no', 'of', 'off', '0', 0].map((value) => [value, 'false'] as const),
    ...['o', 'oui', '', 2, null].map((value) => [value, undefined] as const),
  ])('as boolean: %p is %p', (value, expected) => {
    expect(canonicalValue('boolean', value)).toBe(expected);
  });

  it('has no text for a column of another kind', () => {
    expect(canonicalValue('other', 'US')).toBeUndefined();
  });
});

describe('dimensionValue', () => {
  it('returns the text of a single column unchanged', () => {
    expect(dimensionValue(['["a"]'])).toBe('["a"]');
  });

  it('keeps several columns distinguishable', () => {
    expect(dimensionValue(['a,b', 'c'])).not.toBe(dimensionValue(['a', 'b,c']));
  });
});
