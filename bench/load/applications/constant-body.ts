/** The answer of the first users, made without the database: user i has the id i + 1. */
export function constantBody(rows: number): Buffer {
  const users = Array.from({ length: rows }, (_, i) => ({ id: i + 1, username: `user${i}` }));
  return Buffer.from(JSON.stringify(users));
}

export const JSON_TYPE = 'application/json; charset=utf-8';
/** Of the answer 304. */
export const CONSTANT_TAG = '"constant"';
