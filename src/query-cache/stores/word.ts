/** Write ids and tokens are parts of a version's text: `!` or a space in them would change it. */
export function requireWord(value: string, what: 'token' | 'write id'): string {
  if (value === '' || /[! ]/.test(value))
    throw new TypeError(`A ${what} is empty or has ! or space`);
  return value;
}
