/** One bucket of a cluster: to the stores it is what one Redis is, with data, outages and trust of its own. */
import type { Redis } from 'ioredis';
import { inBucket } from '../../core/buckets.js';
import type { VersionStore } from '../../core/ports/version-store.js';
import { SCHEMA } from '../../core/schema-version.js';
import type { RedisLog } from '../connection/outage-state.js';
import { DATA_LOST, DataCanary, type DataCanaryOptions } from '../data-canary.js';
import { PeerAttestation } from '../peer-attestation.js';
import { RedisKeys } from '../redis-keys.js';
import { BucketLink } from './bucket-link.js';
import { BucketVersionStore } from './bucket-version-store.js';
import { EpochDeletion } from './epoch-deletion.js';
import type { RedisCluster } from './redis-cluster.js';
import { slotOf, tagOfBucket } from './slots.js';

interface ClusterBucketParts extends DataCanaryOptions {
  /** From 0. */
  readonly bucket: number;
  readonly cluster: RedisCluster;
  readonly namespace: string;
  readonly database: string;
  /** Time limit of a command, in milliseconds. */
  readonly timeoutMs: number;
  readonly log: RedisLog;
}

export class ClusterBucket {
  readonly link: BucketLink;
  readonly versions: VersionStore;
  readonly attestation: PeerAttestation;
  readonly #canary: DataCanary;
  readonly #question: string;

  constructor(parts: ClusterBucketParts) {
    const { bucket, cluster, namespace, database, timeoutMs, log } = parts;
    const tag = tagOfBucket(bucket);
    const slot = slotOf(`{${tag}}`);
    const keys = new RedisKeys(namespace, database, tag);
    const refresh = (): Promise<void> => cluster.refresh();
    this.#canary = new DataCanary(keys, {
      mayEvict: parts.mayEvict,
      onLost: () => {
        parts.onLost();
        this.link.distrust(DATA_LOST);
      },
    });
    this.link = new BucketLink({
      slot,
      timeoutMs,
      log,
      refresh,
      heartbeat: (client, node) => this.#beat(client, node),
    });
    this.versions = new BucketVersionStore({
      link: this.link,
      keys,
      canary: this.#canary,
      deletion: new EpochDeletion({
        owner: () => cluster.ownerOf(slot),
        nodeAt: (endpoint) => cluster.nodeAt(endpoint),
        refresh,
        timeoutMs,
      }),
    });
    [, this.#question] = keys.ofHeartbeat();
    this.attestation = new PeerAttestation(this.link, keys, inBucket(SCHEMA, bucket));
  }

  /** Removes the number of this process. Never rejects. */
  async close(): Promise<void> {
    const remove = (client: Redis): Promise<void> => this.#canary.remove(client);
    await this.link.send('DEL of a number', remove).catch(() => undefined);
  }

  async #beat(client: Redis, node: string): Promise<void> {
    const [question] = await Promise.all([
      client.get(this.#question),
      this.#canary.raise(client, node),
    ]);
    if (question !== null) this.attestation.answer(question);
  }
}
