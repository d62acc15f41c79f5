/**
 * How a client of ioredis finds the primary by Redis Sentinel, in place of ioredis's own connector: that one asks the
 * Sentinels one after another and takes the first answer, so one that hangs takes the time of all, and one that was cut
 * off leads back to the old primary; and it misses a failover between the answer and its subscription.
 *
 * All Sentinels are asked at once. Of their answers the one with the highest epoch counts. The connection ends when one
 * of them publishes a failover to another server, or is reached again and knows of one.
 */
import { AbstractConnector, type RedisOptions } from 'ioredis';
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { textOf } from './redis.errors.js';
import { DEFAULT_SENTINEL_PORT, describeSentinel } from './sentinel-address.js';
import { withServerName } from './server-name.js';
import { SentinelWatch, type NamedPrimary, type PrimaryAddress } from './sentinel-watch.js';

const DEFAULT_LIMIT_MS = 500;
const LEFT = 'the sentinels have made another server the primary';

export class SentinelConnector extends AbstractConnector {
  readonly #options: RedisOptions;
  #watches: readonly SentinelWatch[] = [];
  #primary: NamedPrimary | undefined;
  /** A failover was published before the primary was chosen. */
  #isOutdated = false;

  /** ioredis passes the options of its client. */
  constructor(options: unknown) {
    const known = options as RedisOptions;
    super(known.disconnectTimeout ?? 0);
    this.#options = known;
  }

  override async connect(): Promise<Socket | TLSSocket> {
    this.connecting = true;
    const primary = await this.#locate();
    if (!this.connecting) throw new Error('the connection was closed');
    if (this.#isOutdated) throw new Error(LEFT);
    this.#primary = primary;
    this.stream = open(this.#addressOf(primary), this.#options);
    this.stream.once('error', (error: Error) => {
      this.firstError = error;
    });
    return this.stream;
  }

  override disconnect(): void {
    super.disconnect();
    for (const watch of this.#watches) watch.close();
  }

  /** Waits for all Sentinels, each within its time limit. */
  async #locate(): Promise<NamedPrimary> {
    const { sentinels, name, sentinelCommandTimeout: limitMs = DEFAULT_LIMIT_MS } = this.#options;
    const addresses = sentinels ?? [];
    this.#watches = addresses.map(
      (address) =>
        new SentinelWatch({
          client: this.#loginAt(address),
          name: name ?? '',
          limitMs,
          onFailover: (to) => this.#leaveFor(to),
          onAnswer: (answer) => {
            if (this.#primary && answer.epoch > this.#primary.epoch) this.#leaveFor(answer);
          },
        }),
    );
    const answers = await Promise.allSettled(this.#watches.map(({ primary }) => primary));
    const problems: string[] = [];
    let latest: NamedPrimary | undefined;
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 'rejected') {
        problems.push(`${describeSentinel(addresses[index] ?? {})}: ${textOf(answer.reason)}`);
      } else if (!latest || answer.value.epoch > latest.epoch) latest = answer.value;
    }
    if (latest) return latest;
    throw new Error(`the sentinels name no primary (${problems.join('; ')})`);
  }

  #loginAt({ host = '127.0.0.1', port = DEFAULT_SENTINEL_PORT }: Partial<PrimaryAddress>) {
    const options = this.#options;
    const { family, connectTimeout, sentinelTLS } = options;
    return {
      host,
      port,
      ...(options.sentinelUsername ? { username: options.sentinelUsername } : {}),
      ...(options.sentinelPassword ? { password: options.sentinelPassword } : {}),
      ...(sentinelTLS ? { tls: withServerName(host, sentinelTLS) } : {}),
      family,
      connectTimeout,
    } satisfies RedisOptions;
  }

  /** The address at which this process reaches the server. */
  #addressOf({ host, port }: PrimaryAddress): PrimaryAddress {
    const { natMap } = this.#options;
    if (!natMap) return { host, port };
    const key = `${host}:${port}`;
    return (typeof natMap === 'function' ? natMap(key) : natMap[key]) ?? { host, port };
  }

  #leaveFor({ host, port }: PrimaryAddress): void {
    if (this.#primary?.host === host && this.#primary.port === port) return;
    this.#isOutdated = true;
    if (this.#primary) this.stream.destroy(new Error(LEFT));
  }
}

function open(
  { host, port }: PrimaryAddress,
  { family, tls, enableTLSForSentinelMode }: RedisOptions,
): Socket | TLSSocket {
  const target = { host, port, ...(family === undefined ? {} : { family }) };
  if (!tls || enableTLSForSentinelMode !== true) return createConnection(target);
  return connectTls({ ...target, ...withServerName(host, tls) });
}
