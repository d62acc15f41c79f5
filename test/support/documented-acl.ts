import { readFileSync } from 'node:fs';

export const USER = 'tidemark';
export const PASSWORD = 'secret';

/** The rules of the ACL line in docs/operations.md, with a password. */
export function documentedAclRules(): readonly string[] {
  const text = readFileSync('docs/operations.md', 'utf8');
  const line = /^ACL SETUSER tidemark (.*)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error('docs/operations.md has no ACL line');
  return line.replace('PASSWORD', PASSWORD).split(' ');
}

/** What the user needs on the nodes of a cluster too. */
export function documentedClusterRules(): readonly string[] {
  const text = readFileSync('docs/operations.md', 'utf8');
  const line = /^ACL SETUSER tidemark (\+asking .*)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error('docs/operations.md has no ACL line for a cluster');
  return line.split(' ');
}
