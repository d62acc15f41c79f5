/** One client that reads from one instance, one read after another, as fast as it is answered. */
import { gunzipSync } from 'node:zlib';
import { setTimeout as delay } from 'node:timers/promises';
import { ABSENT } from './history.js';
import { headerOf, HttpConnection, NoAnswerError, type HttpAnswer } from './http-connection.js';
import type { Member } from './member.js';
import type { Target } from './checker.js';
import type { RunContext } from './run-context.js';
import type { SeededRandom } from './seeded-random.js';

const REQUEST_LIMIT_MS = 30_000;
const PAUSE_AFTER_FAILURE_MS = 30;
/** Answers remembered to be asked for again by their entity tags. */
const REMEMBERED_ANSWERS = 300;
/** The number of ids after the largest known one that are read. */
const AHEAD = 6;

/** The kinds of requests and their shares. Cold lists are rarely requested. */
const READS = { list: 54, 'cold list': 8, user: 30, ahead: 4, deleted: 2, counts: 2 };
/** Of a cold list. No region ever has so many users. */
const LIMITS = [100, 1_000] as const;
const CONDITIONAL = 0.25;
const COMPRESSED = 0.03;

interface Remembered {
  readonly tag: string;
  readonly value: string;
}

export class Reader {
  readonly #connection = new HttpConnection();
  readonly #remembered = new Map<string, Remembered>();

  constructor(
    private readonly member: Member,
    private readonly context: RunContext,
    private readonly random: SeededRandom,
  ) {}

  async run(): Promise<void> {
    const { stopping } = this.context;
    while (!stopping.aborted) {
      if (!(await this.read(this.#choose()))) await delay(PAUSE_AFTER_FAILURE_MS);
    }
    this.close();
  }

  close(): void {
    this.#connection.close();
  }

  /** Resolves with whether there was an answer to check. */
  async read(target: Target): Promise<boolean> {
    const { port } = this.member;
    if (port === undefined) return false;
    const { checker, figures, nowMs } = this.context;
    const path = pathOf(target);
    const known = this.random.chance(CONDITIONAL) ? this.#remembered.get(path) : undefined;
    const isCompressed = !known && this.random.chance(COMPRESSED);
    const via = this.member.session;
    const ticket = checker.send(target);
    let answer: HttpAnswer;
    try {
      const request = requestOf(path, known?.tag, isCompressed);
      answer = await this.#connection.request(port, request, REQUEST_LIMIT_MS);
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      this.#tellFailure(error, path);
      return false;
    }
    const answeredAtMs = nowMs();
    figures.slowestReadMs = Math.max(figures.slowestReadMs, answeredAtMs - ticket.sentAtMs);
    const { status, head } = answer;
    const value = this.#valueOf(answer, known);
    if (value === undefined) {
      figures.failedReads.add(String(status));
      if (!figures.wasFaultWithin(10_000)) {
        figures.oddities.push(`GET ${path}: ${status} ${answer.body.toString().slice(0, 300)}`);
      }
      return false;
    }
    const cacheStatus = headerOf(head, 'cache-status') ?? '(none)';
    figures.reads.add(outcomeOf(cacheStatus));
    if (cacheStatus.includes('; hit')) this.member.lastHitMs = answeredAtMs;
    if (status === 304) figures.notModified += 1;
    this.#remember(path, head, value);
    checker.answer(ticket, value, () =>
      this.#describe(path, via, ticket.sentAtMs, answeredAtMs, head),
    );
    return true;
  }

  #choose(): Target {
    const { hot, territories, checker } = this.context;
    const target = this.random.chance(0.6) ? hot.take(this.member.index) : undefined;
    if (target) return target;
    const kind = this.random.weighted(READS);
    if (kind === 'counts') return { kind };
    if (kind === 'ahead') {
      return { kind: 'user', id: checker.largestId + this.random.integer(1, AHEAD) };
    }
    const territory = this.random.pick(territories);
    if (kind === 'list' || kind === 'cold list') {
      const region = this.random.pick(territory.regions);
      if (kind === 'list') return { kind, territory, region };
      return { kind: 'list', territory, region, limit: this.random.integer(...LIMITS) };
    }
    const ids = kind === 'deleted' ? territory.deleted : territory.rows.map(({ id }) => id);
    return ids.length > 0 ? { kind: 'user', id: this.random.pick(ids) } : { kind: 'counts' };
  }

  /** `undefined` where the service could not answer. */
  #valueOf({ status, head, body }: HttpAnswer, known: Remembered | undefined): string | undefined {
    if (status === 304) return known?.value;
    if (status === 404) return ABSENT;
    if (status !== 200) return undefined;
    if (headerOf(head, 'content-encoding') !== 'gzip') return body.toString('latin1');
    this.context.figures.compressed += 1;
    return gunzipSync(body).toString('latin1');
  }

  #remember(path: string, head: string, value: string): void {
    const tag = headerOf(head, 'etag');
    if (tag === undefined) return;
    if (this.#remembered.size >= REMEMBERED_ANSWERS) this.#remembered.clear();
    this.#remembered.set(path, { tag, value });
  }

  #tellFailure(error: NoAnswerError, path: string): void {
    const { figures, stopping } = this.context;
    if (stopping.aborted && error.cause === 'cut') return;
    figures.failedReads.add(error.cause);
    if (error.cause === 'late' && !this.member.isPaused) {
      figures.hangs.push(`GET ${path} over instance ${this.member.index}`);
    }
    if (error.cause === 'garbled') figures.oddities.push(`GET ${path}: ${error.message}`);
  }

  #describe(
    path: string,
    via: string,
    sentAtMs: number,
    answeredAtMs: number,
    head: string,
  ): string {
    const { startedMs } = this.context.figures;
    const at = (ms: number): string => ((ms - startedMs) / 1000).toFixed(4);
    return `GET ${path} via ${via}, sent ${at(sentAtMs)}, answered ${at(answeredAtMs)}:\n${head}`;
  }
}

export function pathOf(target: Target): string {
  switch (target.kind) {
    case 'list':
      return target.limit === undefined
        ? `/users?region=${target.region}`
        : `/users?region=${target.region}&limit=${target.limit}`;
    case 'user':
      return `/users/${target.id}`;
    case 'counts':
      return '/regions';
  }
}

function requestOf(path: string, tag: string | undefined, isCompressed: boolean): string {
  const condition = tag === undefined ? '' : `if-none-match: ${tag}\r\n`;
  const coding = isCompressed ? 'accept-encoding: gzip\r\n' : '';
  return `GET ${path} HTTP/1.1\r\nhost: checked\r\n${condition}${coding}\r\n`;
}

/** `tidemark; hit; ttl=9; detail=L1` is `hit L1`; `tidemark; fwd=bypass; detail=x` is `bypass x`. */
function outcomeOf(cacheStatus: string): string {
  const kind = /; (?:fwd=)?(hit|miss|bypass)/.exec(cacheStatus)?.[1] ?? 'unknown';
  const detail = /; detail=([^;]+)/.exec(cacheStatus)?.[1];
  return detail === undefined ? kind : `${kind} ${detail}`;
}
