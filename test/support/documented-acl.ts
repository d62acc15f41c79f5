import { readFileSync } from 'node:fs';

export const USER = 'tidemark';
export const PASSWORD = 'secret';

/** The rules of the ACL line in docs/replicas.md, with a password. */
export function documentedAclRules(): readonly string[] {
  const text = readFileSync('docs/replicas.md', 'utf8');
  const line = /^ACL SETUSER tidemark (.*)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error('docs/replicas.md has no ACL line');
  return line.replace('PASSWORD', PASSWORD).split(' ');
}
