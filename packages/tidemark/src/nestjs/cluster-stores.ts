import { systemTimers, within } from '../core/ports/clock.js';
import type { EntryStore, FillLock } from '../core/ports/entry-store.js';
import type { InstanceBoard } from '../core/ports/instance-board.js';
import type { VersionStore } from '../core/ports/version-store.js';
import type { BucketLink } from '../redis/cluster/bucket-link.js';
import { ClusterBucket } from '../redis/cluster/cluster-bucket.js';
import type { ClusterNode } from '../redis/cluster/cluster-node.js';
import type { ClusterTarget } from '../redis/cluster/cluster-seeds.js';
import { clusterRoute } from '../redis/cluster/cluster-route.js';
import { ClusterVersionStore } from '../redis/cluster/cluster-version-store.js';
import { beatNode } from '../redis/cluster/node-heartbeat.js';
import { RedisCluster } from '../redis/cluster/redis-cluster.js';
import { bucketOf, BUCKETS, wordsForSlots } from '../redis/cluster/slots.js';
import { describeEndpoint } from '../redis/connection/node-address.js';
import { entryRefusals } from '../redis/entry-refusals.js';
import { RedisEntryStore } from '../redis/redis-entry-store.js';
import { RedisFillLock } from '../redis/redis-fill-lock.js';
import { RedisInstanceBoard } from '../redis/redis-instance-board.js';
import { RedisKeys } from '../redis/redis-keys.js';
import type { CacheStores } from './cache-stores.js';
import type { RedisStoresParts } from './redis-stores.js';
import { lackedPermission, RedisTroubles } from './redis-troubles.js';

const READY_WAIT_MS = 1_000;

/** All in a Redis Cluster. Waits for unavailable nodes in the background. */
export class ClusterStores implements CacheStores {
  readonly scope: string;
  readonly versions: VersionStore;
  readonly entries: EntryStore;
  readonly fillLock: FillLock;
  readonly board: InstanceBoard;
  readonly #cluster: RedisCluster;
  readonly #buckets: readonly ClusterBucket[];
  readonly #troubles = new WeakMap<ClusterNode, RedisTroubles>();

  constructor(private readonly parts: RedisStoresParts<ClusterTarget>) {
    const { dataSource, redis, options, secrets, events, log } = parts;
    const { namespace, maxEntryBytes } = options;
    const { database, seal } = secrets;
    const { timeoutMs } = redis;
    const cluster = new RedisCluster({
      target: redis,
      timeoutMs,
      connectionName: `tidemark:${namespace}`,
      log,
      heartbeat: async (node, client, runId) => {
        const tag = cluster.tagOn(node);
        const isFull = await beatNode(client, runId, {
          links: this.#buckets
            .map(({ link }) => link)
            .filter((link) => link.isVia(node.connection)),
          keys: tag === undefined ? undefined : new RedisKeys(namespace, database, tag),
        });
        if (isFull === true) this.#onOutOfMemory(node);
        this.#troublesOf(node).beaten();
      },
      onOutOfMemory: (node) => this.#onOutOfMemory(node),
    });
    this.#cluster = cluster;
    this.#buckets = Array.from({ length: BUCKETS }, (_, bucket) => {
      const troubles = (): RedisTroubles | undefined => this.#troublesIn(bucket);
      return new ClusterBucket({
        bucket,
        cluster,
        namespace,
        database,
        timeoutMs,
        log,
        onLost: () => {
          events.emitSafely('dataLost');
          troubles()?.hasLostAsLogged();
        },
        mayEvict: () => troubles()?.mayEvictAll === true,
      });
    });
    events.on('epochReplaced', ({ cause, table }) => {
      if (cause === 'lost') this.#troublesIn(bucketOf(table))?.hasLost();
    });
    this.scope = `${namespace}:${database}`;
    this.versions = new ClusterVersionStore(this.#buckets.map(({ versions }) => versions));
    const route = clusterRoute(cluster);
    const keys = new RedisKeys(namespace, database);
    this.entries = new RedisEntryStore(route, keys, {
      maxBodyBytes: maxEntryBytes,
      seal,
      onRefused: entryRefusals(namespace, events, log),
    });
    this.fillLock = new RedisFillLock(route, keys);
    this.board = new RedisInstanceBoard(route, keys, dataSource);
    cluster.open(this.#buckets.map(({ link }) => link));
  }

  async ready(): Promise<void> {
    const decided = this.#buckets.map(
      ({ link }) =>
        new Promise<void>((resolve) => {
          if (link.state !== 'connecting') resolve();
          link.onUp(resolve);
          link.onDown(resolve);
        }),
    );
    await within(systemTimers, READY_WAIT_MS, Promise.all(decided));
  }

  isAttested(bucket: number): Promise<boolean> {
    return this.#buckets[bucket]?.attestation.isAttested() ?? Promise.resolve(false);
  }

  attestWhile(isUnbroken: (bucket: number) => boolean): void {
    this.#buckets.forEach(({ attestation }, bucket) =>
      attestation.answerWhile(() => isUnbroken(bucket)),
    );
  }

  onOutage(listener: (bucket: number) => void): void {
    this.#buckets.forEach(({ link }, bucket) => link.onDown(() => listener(bucket)));
  }

  onRecovery(listener: (bucket: number) => void): void {
    this.#buckets.forEach(({ link }, bucket) => link.onUp(() => listener(bucket)));
  }

  /** Names nodes by their slots. */
  degradation(): string | undefined {
    const cluster = this.#cluster;
    if (cluster.nodes.length === 0) {
      return `Redis Cluster is not available${lackedPermission(cluster.reason)}: reads go to the database`;
    }
    const problems: string[] = [];
    for (const node of cluster.nodes) {
      const slots = cluster.slotsOf(node);
      if (slots === '') continue;
      const problem = node.isUp
        ? this.#troubles.get(node)?.describe()
        : `is not available${lackedPermission(node.connection.reason)}: reads of its tables go to the database`;
      if (problem !== undefined) {
        problems.push(`the node of ${wordsForSlots(slots).name} ${problem}`);
      }
    }
    const unowned = cluster.slotsOf(undefined);
    if (unowned !== '') {
      const { name, their } = wordsForSlots(unowned);
      problems.push(`no node serves the ${name}: reads of ${their} tables go to the database`);
    }
    const moving = this.#slotsWhere(({ isMoving }) => isMoving);
    if (moving !== '') {
      const { name, are, their } = wordsForSlots(moving);
      problems.push(
        `the ${name} ${are} being moved: reads of ${their} tables go to the database meanwhile`,
      );
    }
    const refused = this.#slotsWhere(
      ({ slot, state, isMoving }) =>
        state === 'down' && !isMoving && cluster.ownerOf(slot)?.isUp === true,
    );
    if (refused !== '') {
      const { name, their } = wordsForSlots(refused);
      problems.push(
        `the ${name} cannot be used on ${their} node: reads of ${their} tables go to the database`,
      );
    }
    return problems.length === 0 ? undefined : `Redis Cluster: ${problems.join('; ')}`;
  }

  async close(): Promise<void> {
    await this.entries.drain();
    await Promise.all(this.#buckets.map((bucket) => bucket.close()));
    await this.#cluster.close();
  }

  /** The slots of such links, as in `77, 150`. */
  #slotsWhere(isFit: (link: BucketLink) => boolean): string {
    return this.#buckets
      .filter(({ link }) => isFit(link))
      .map(({ link }) => link.slot)
      .join(', ');
  }

  #onOutOfMemory(node: ClusterNode): void {
    this.#troublesOf(node).isFull();
    this.parts.events.emitSafely('storeFull');
  }

  #troublesIn(bucket: number): RedisTroubles | undefined {
    const node = this.#cluster.ownerOf(this.#buckets[bucket]?.link.slot ?? -1);
    return node && this.#troublesOf(node);
  }

  #troublesOf(node: ClusterNode): RedisTroubles {
    let troubles = this.#troubles.get(node);
    if (!troubles) {
      const address = describeEndpoint(node.endpoint);
      troubles = new RedisTroubles(() => node.connection, address, this.parts.log);
      this.#troubles.set(node, troubles);
    }
    return troubles;
  }
}
