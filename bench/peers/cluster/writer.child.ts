/**
 * One instance of a system in a separate process that carries out one write: for writers that die on the way or whose
 * clock is wrong. Its parent controls it by messages; it ends with its parent.
 */
import 'reflect-metadata';
import { CHANGES, type ChangeName } from '../fixtures/changes.js';
import type { QueryName } from '../fixtures/queries.js';
import { SYSTEMS } from '../systems/index.js';
import type { PeerCache, Servers } from '../systems/peer-cache.js';
import { DriverTap } from './driver-tap.js';

export interface WriterStart {
  readonly kind: 'start';
  readonly system: string;
  readonly servers: Servers;
  /** Ends itself by SIGKILL at the moment the database has answered COMMIT. */
  readonly diesAtCommit: boolean;
}

export interface WriterWrite {
  readonly kind: 'write';
  readonly change: ChangeName;
  readonly invalidated: readonly QueryName[];
}

let instance: PeerCache | undefined;
let diesAtCommit = false;
const tap = DriverTap.install();

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', (message: WriterStart | WriterWrite) => {
  const work = message.kind === 'start' ? start(message) : write(message);
  work.then(
    () => process.send?.('done'),
    (error: unknown) => process.send?.(String(error)),
  );
});

async function start(message: WriterStart): Promise<void> {
  const system = SYSTEMS.find(({ id }) => id === message.system);
  instance = await system?.start(message.servers, {});
  diesAtCommit = message.diesAtCommit;
}

async function write({ change, invalidated }: WriterWrite): Promise<void> {
  if (!instance) throw new Error('The writer has not been started');
  if (diesAtCommit) tap.onCommitted(() => process.kill(process.pid, 'SIGKILL'));
  await CHANGES[change](instance.source.manager);
  await instance.invalidate(invalidated);
}
