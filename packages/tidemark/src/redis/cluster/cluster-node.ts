import type { RedisOptions } from 'ioredis';
import type { CoalescedWrites } from '../connection/coalesced-writes.js';
import type { CredentialsSource } from '../connection/credentials.js';
import type { NodeEndpoint } from '../connection/node-address.js';
import {
  RedisConnection,
  type Heartbeat,
  type RedisConnectionOptions,
} from '../connection/redis-connection.js';
import type { Answer, Command, RedisCommands } from '../connection/redis-link.js';
import { RedisSlotError } from '../connection/redis.errors.js';
import { askForView, type ClusterView, type NatMap } from './cluster-view.js';
import { SlotReply, withSlotReplies } from './slot-replies.js';

interface ClusterNodeOptions extends Pick<
  RedisConnectionOptions,
  'timeoutMs' | 'connectionName' | 'log' | 'onOutOfMemory'
> {
  readonly endpoint: NodeEndpoint;
  readonly nodeOptions: RedisOptions;
  readonly credentials?: CredentialsSource | undefined;
  readonly natMap?: NatMap | undefined;
  readonly heartbeat: Heartbeat;
  /** The node knows something else about the cluster than before. */
  readonly onView: () => void;
  /** The node has answered that a slot is elsewhere. */
  readonly onSlotReply: () => void;
}

/** A primary of the cluster: its connection, and what it knows about the cluster. */
export class ClusterNode implements RedisCommands {
  readonly connection: RedisConnection;
  #view: ClusterView | undefined;

  constructor(private readonly options: ClusterNodeOptions) {
    const { endpoint, nodeOptions, onView } = options;
    this.connection = RedisConnection.open({
      ...options,
      ...endpoint,
      ofCluster: nodeOptions,
      heartbeat: (client, node) =>
        Promise.all([this.#look(client), options.heartbeat(client, node)]),
    });
    this.connection.onDown(() => {
      this.#view = undefined;
      onView();
    });
    this.connection.onUp(onView);
  }

  get endpoint(): NodeEndpoint {
    return this.options.endpoint;
  }

  get isUp(): boolean {
    return this.connection.state === 'up';
  }

  /** What the node knows about the cluster, while it is up. */
  get view(): ClusterView | undefined {
    return this.isUp ? this.#view : undefined;
  }

  get writes(): CoalescedWrites {
    return this.connection.writes;
  }

  /** Asks the node about the cluster. Never rejects. */
  async ask(): Promise<void> {
    if (!this.isUp) return;
    const limitMs = this.options.timeoutMs / 2;
    const look: Command<void> = (client) => this.#look(client);
    await this.connection.send('CLUSTER SLOTS', look, limitMs).catch(() => undefined);
  }

  /** Rejects with `RedisSlotError` too, if the slot of the keys is elsewhere or is being moved. */
  async send<T>(name: string, command: Command<T>, timeoutMs?: number): Promise<Answer<T>> {
    return this.#inPlace(
      name,
      await this.connection.send(name, withSlotReplies(command), timeoutMs),
    );
  }

  async sendAfterReconnect<T>(name: string, command: Command<T>): Promise<Answer<T>> {
    const checked = withSlotReplies(command);
    return this.#inPlace(name, await this.connection.sendAfterReconnect(name, checked));
  }

  #inPlace<T>(name: string, { value, node }: Answer<T | SlotReply>): Answer<T> {
    if (!(value instanceof SlotReply)) return { value, node };
    this.options.onSlotReply();
    throw new RedisSlotError(name, value.text);
  }

  async #look(client: Parameters<Heartbeat>[0]): Promise<void> {
    const { endpoint, natMap, onView } = this.options;
    const view = await askForView(client, endpoint, natMap);
    const isSame = this.#view?.text === view.text;
    this.#view = view;
    if (!isSame) onView();
  }
}
