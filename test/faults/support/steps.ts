/** The steps of a write, of a fill and of the relay as they look on the wire. */
import { beginWrite } from '../../../packages/tidemark/src/redis/scripts/begin-write.script.js';
import { takeOffMark } from '../../../packages/tidemark/src/redis/scripts/take-off-mark.script.js';
import type { Hold } from '../../support/tcp-link.js';
import type { Member } from './member.js';
import { OUTBOX, OUTBOX_CHANNEL } from './outbox.js';

/** PostgreSQL's protocol: a message is a letter, its length and its content. */
function message(letter: string, content: string): string {
  const bytes = Buffer.alloc(5);
  bytes.write(letter, 'latin1');
  bytes.writeInt32BE(content.length + 4, 1);
  return bytes.toString('latin1') + content;
}

/** Of a write: the order in which they happen. */
export const writeStep = {
  /** The row has been changed in an open transaction; the writer does not know yet. */
  updated: ({ postgres }: Member): Hold => postgres.holdAt('to-client', message('C', 'UPDATE 1\0')),
  /** `begin` is on its way to Redis. */
  begin: ({ redis }: Member): Hold => redis.holdAt('to-server', beginWrite.sha1),
  /** The mark is there; COMMIT is on its way to PostgreSQL. */
  commit: ({ postgres }: Member): Hold => postgres.holdAt('to-server', message('Q', 'COMMIT\0')),
  /** The write has been committed; the writer does not know yet. */
  committed: ({ postgres }: Member): Hold => postgres.holdAt('to-client', message('C', 'COMMIT\0')),
  /** `end` is on its way to Redis. */
  end: ({ redis }: Member): Hold => redis.holdAt('to-server', takeOffMark.sha1),
};

/** Of a fill of a list of users: the order in which they happen. */
export const fillStep = {
  /** The versions have been read; the SELECT is on its way to PostgreSQL. */
  select: ({ postgres }: Member): Hold => postgres.holdAt('to-server', 'FROM "users"'),
  /** The SELECT has been answered; the reader does not know yet. */
  selected: ({ postgres }: Member): Hold => postgres.holdAt('to-client', 'user_username\0'),
  /** The entry is on its way to Redis. */
  store: ({ redis }: Member): Hold => redis.holdAt('to-server', '$3\r\nset\r\n'),
};

/** Of the relay, when something has been written past the service: the order in which they happen. */
export const relayStep = {
  /** The row has been read; `begin` is on its way to Redis. */
  begin: writeStep.begin,
  /** The versions have been replaced, and are marked; `end` is on its way to Redis. */
  end: writeStep.end,
  /** The write has been relayed; DELETE is on its way to PostgreSQL. */
  remove: ({ postgres }: Member): Hold => postgres.holdAt('to-server', `DELETE FROM ${OUTBOX}`),
  /** The notification of a new row is on its way to the relay. */
  notified: ({ postgres }: Member): Hold => postgres.holdAt('to-client', `${OUTBOX_CHANNEL}\0\0`),
};
