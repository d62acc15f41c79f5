import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { InstanceBoard } from '../core/ports/instance-board.js';
import type { RedisRoute } from './connection/redis-link.js';
import type { RedisKeys } from './redis-keys.js';
import {
  publishReport,
  readReports,
  removeReport,
  setMode,
} from './scripts/instance-board.script.js';
import { runScript, type Script } from './scripts/script.js';

/** Compressed and in base64. */
const MAX_LENGTH = 512 * 1024;
/** Of the JSON, which a few bytes of another client could make very long. */
const MAX_BYTES = 2 * 1024 * 1024;
/** Of all reports together. */
const MAX_TOTAL_BYTES = 32 * 1024 * 1024;
const MAX_REPORTS = 200;
const MAX_TTL_MS = 60 * 60 * 1_000;
const BOARD_TTL_MS = 24 * 60 * 60 * 1_000;
const FAST = { level: 1 };

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** The board that all instances over a data source share, in one key. Rejects with `RedisError`s. */
export class RedisInstanceBoard extends InstanceBoard {
  readonly #key: string;

  constructor(
    private readonly route: RedisRoute,
    keys: Pick<RedisKeys, 'board'>,
    dataSource: string,
  ) {
    super();
    this.#key = keys.board(dataSource);
  }

  override async publish(
    id: string,
    report: string,
    ttlMs: number,
    mode = '',
  ): Promise<string | undefined> {
    const text = (await deflate(report, FAST)).toString('base64');
    if (text.length > MAX_LENGTH) {
      throw new RangeError(`The report of this instance is longer than ${MAX_LENGTH} characters`);
    }
    const known = await this.#run(publishReport, id, text, ttlMs, BOARD_TTL_MS, mode);
    return typeof known === 'string' && known !== '' ? known : undefined;
  }

  override async read(): Promise<readonly string[]> {
    const texts = (await this.#run(
      readReports,
      MAX_LENGTH,
      MAX_REPORTS,
      MAX_TTL_MS,
    )) as readonly string[];
    const reports: string[] = [];
    let leftBytes = MAX_TOTAL_BYTES;
    // One at a time: what another client has put there may be long.
    for (const text of texts) {
      const report = await inflated(text);
      if (!report) continue;
      leftBytes -= report.length;
      if (leftBytes < 0) break;
      reports.push(report.toString());
      await setImmediate();
    }
    return reports;
  }

  override async remove(id: string): Promise<void> {
    await this.#run(removeReport, id);
  }

  override async setMode(mode: string): Promise<void> {
    await this.#run(setMode, mode, BOARD_TTL_MS);
  }

  async #run(script: Script, ...args: readonly (string | number)[]): Promise<unknown> {
    const { value } = await runScript(this.route(this.#key), script, [this.#key], args.map(String));
    return value;
  }
}

/** `undefined`: another client has put it there. */
async function inflated(text: string): Promise<Buffer | undefined> {
  try {
    return await inflate(Buffer.from(text, 'base64'), { maxOutputLength: MAX_BYTES });
  } catch {
    return undefined;
  }
}
