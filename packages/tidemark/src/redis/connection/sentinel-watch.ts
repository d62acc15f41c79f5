/**
 * One Sentinel: asked for the primary, and followed for as long as the connection to that primary lasts.
 *
 * A Sentinel publishes a failover at the moment from which it names the new primary. The subscription comes before the
 * question, so a process either gets the new address as the answer, or is notified. Without the subscription it would
 * stay with a demoted primary that still answers: after SENTINEL FAILOVER that one accepts writes for seconds.
 */
import { Redis, type RedisOptions } from 'ioredis';
import { withDeadline } from './deadline.js';

/** The address that a Sentinel gives for the primary. */
export interface PrimaryAddress {
  readonly host: string;
  readonly port: number;
}

/** The Sentinel's answer. A failover raises the epoch, and a Sentinel that missed it still has the lower one. */
export interface NamedPrimary extends PrimaryAddress {
  readonly epoch: number;
}

export interface SentinelWatchOptions {
  /** Address of the Sentinel, user, password and TLS. */
  readonly client: RedisOptions;
  /** The name by which the Sentinels know the primary. */
  readonly name: string;
  /** Time limit of the first answer, in milliseconds. */
  readonly limitMs: number;
  /** The Sentinel has published a failover. */
  readonly onFailover: (to: PrimaryAddress) => void;
  /** The Sentinel has answered, for the first time or after its connection broke. */
  readonly onAnswer: (primary: NamedPrimary) => void;
}

const RETRY_MS = 1_000;
const SETTINGS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  autoResubscribe: false,
  disableClientInfo: true,
} satisfies RedisOptions;

/** The Sentinel that runs a failover publishes the first one, some seconds earlier; all publish the second one. */
const PROMOTED = '+promoted-slave';
const SWITCHED = '+switch-master';

export class SentinelWatch {
  /** The first answer. Rejects if there is none within the time limit. */
  readonly primary: Promise<NamedPrimary>;
  readonly #subscriber: Redis;

  constructor(private readonly options: SentinelWatchOptions) {
    const { client, limitMs } = options;
    const subscriber = new Redis({ ...client, ...SETTINGS, retryStrategy: () => RETRY_MS });
    this.#subscriber = subscriber;
    subscriber.on('message', (channel: string, text: string) => this.#notice(channel, text));
    const answer = new Promise<NamedPrimary>((resolve, reject) => {
      subscriber.on('ready', () => void this.#follow().then(resolve, reject));
      subscriber.on('error', reject);
      subscriber.on('close', () => reject(new Error('the connection was closed')));
    });
    this.primary = withDeadline(answer, limitMs, 'a question about the primary');
    // `ready`, `error` or `close` settles the answer.
    subscriber.connect().catch(() => undefined);
  }

  close(): void {
    this.#subscriber.disconnect();
  }

  async #follow(): Promise<NamedPrimary> {
    try {
      await this.#subscriber.subscribe(PROMOTED, SWITCHED);
      const primary = await this.#ask();
      this.options.onAnswer(primary);
      return primary;
    } catch (error) {
      // Not followed: tries again after the pause.
      this.#subscriber.disconnect(true);
      throw error;
    }
  }

  /** Over a second connection, since a subscribed one carries no other command. */
  async #ask(): Promise<NamedPrimary> {
    const { client, name, limitMs } = this.options;
    const asking = new Redis({ ...client, ...SETTINGS, retryStrategy: () => null });
    // The rejections below have the same errors.
    asking.on('error', () => undefined);
    try {
      const answers = asking.connect().then(() =>
        Promise.all([
          asking.call('SENTINEL', 'MASTER', name),
          // During a failover only this one gives the new address.
          asking.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name),
        ]),
      );
      const [fields, address] = await withDeadline(answers, limitMs, 'SENTINEL MASTER');
      const [host = '', port] = address as string[];
      const list = fields as string[];
      return { host, port: Number(port), epoch: Number(list[list.indexOf('config-epoch') + 1]) };
    } finally {
      asking.disconnect();
    }
  }

  #notice(channel: string, text: string): void {
    const { name, onFailover } = this.options;
    // `<name> <old host> <old port> <host> <port>`, or `slave <its name> <host> <port> @ <name> <old host> <old port>`.
    const words = text.split(' ');
    const [known, host = '', port] =
      channel === SWITCHED ? [words[0], words[3], words[4]] : [words[5], words[2], words[3]];
    if (known === name) onFailover({ host, port: Number(port) });
  }
}
