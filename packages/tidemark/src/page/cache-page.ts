import { Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { requireJson, requireSameOrigin } from './cross-site.js';
import {
  pathOf,
  sendAnswer,
  sendJson,
  sendProblem,
  type PageReply,
  type PageRequest,
} from './http-exchange.js';
import { LiveStreams } from './live-streams.js';
import { PageAccess } from './page-access.js';
import { overviewOf } from './page-answers.js';
import type { Overview } from './page-api.js';
import { PageProblem } from './page-problem.js';
import type { PageSource, PageSources } from './page-sources.js';

export interface CachePageParts {
  readonly token: string | undefined;
  readonly isGuarded: boolean;
  readonly allowActions: boolean;
  /** Called when all caches are there. */
  readonly sources: () => PageSources;
}

/** The page of an application: checks what senders of requests may do, and turns errors into problem documents. */
export class CachePage implements OnModuleInit, OnModuleDestroy {
  readonly #access: PageAccess;
  readonly #log = new Logger('CachePage');
  readonly #streams = new LiveStreams((source) => this.overviewOf(source));
  #sources: PageSources;

  constructor(private readonly parts: CachePageParts) {
    this.#access = new PageAccess({ ...parts, warn: (line) => this.#log.warn(line) });
  }

  /** Whether it has a token or a guard. */
  get isOpen(): boolean {
    return this.#access.isOpen;
  }

  /** A closed page counts and publishes nothing. */
  async onModuleInit(): Promise<void> {
    this.#sources = this.parts.sources();
    if (this.isOpen) await this.#sources.start();
  }

  onModuleDestroy(): void {
    this.endStreams();
  }

  /**
   * Ends the streams of all open pages, which never end by themselves, and refuses new ones. Nest's shutdown does so
   * by itself; call it before code that awaits the end of all requests.
   */
  endStreams(): void {
    this.#streams.close();
  }

  /** @internal */
  overviewOf(source: PageSource): Promise<Overview> {
    const { allowsActions: allowActions } = this.#access;
    return overviewOf(source, { dataSources: this.#sources.names, allowActions });
  }

  /** Needs no token: the page itself has no data. @internal */
  open(request: PageRequest, reply: PageReply, send: () => void): Promise<void> {
    return this.#answer(request, reply, () => {
      this.#access.requireOpen();
      send();
    });
  }

  /** Answers with what the work returns, as JSON. @internal */
  read(
    request: PageRequest,
    reply: PageReply,
    work: (source: PageSource) => unknown,
  ): Promise<void> {
    return this.#answer(request, reply, async () => {
      this.#access.requireReader(request);
      sendJson(reply, await work(this.#sourceOf(request)));
    });
  }

  /** Does the work and answers 204. @internal */
  act(
    request: PageRequest,
    reply: PageReply,
    work: (source: PageSource) => Promise<void>,
  ): Promise<void> {
    return this.#answer(request, reply, async () => {
      requireSameOrigin(request);
      this.#access.requireActor(request);
      requireJson(request);
      await work(this.#sourceOf(request));
      sendAnswer(reply, { status: 204 });
    });
  }

  /** Begins a stream of events, for as long as the sender may read. @internal */
  stream(request: PageRequest, reply: PageReply): Promise<void> {
    return this.#answer(request, reply, () => {
      const endMs = this.#access.requireReader(request);
      const source = this.#sourceOf(request);
      if (request.method === 'HEAD') sendAnswer(reply, { status: 200 });
      else this.#streams.open(source, reply, endMs);
    });
  }

  /** @internal */
  signIn(request: PageRequest, reply: PageReply): Promise<void> {
    return this.#answer(request, reply, () => {
      requireSameOrigin(request);
      this.#access.requireOpen();
      requireJson(request);
      const cookie = this.#access.signIn(request);
      sendAnswer(reply, { status: 204, headers: { 'set-cookie': cookie } });
    });
  }

  /** @internal */
  signOut(request: PageRequest, reply: PageReply): Promise<void> {
    return this.#answer(request, reply, () => {
      requireSameOrigin(request);
      const cookie = this.#access.signOut(request);
      sendAnswer(reply, { status: 204, headers: { 'set-cookie': cookie } });
    });
  }

  #sourceOf({ query }: PageRequest): PageSource {
    return this.#sources.of(query['source']);
  }

  /** Never rejects: filters of the application would make another answer of the error. */
  async #answer(
    request: PageRequest,
    reply: PageReply,
    work: () => void | Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      sendProblem(reply, this.#problemOf(error), pathOf(request));
    }
  }

  #problemOf(error: unknown): PageProblem {
    if (error instanceof PageProblem) return error;
    this.#log.error(error);
    return new PageProblem(
      500,
      'internal',
      'The page has failed: the log of the service says why.',
    );
  }
}
