/** Three instances over one Redis and one database, and the page of the first one in a real browser. */
import { createHash } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { startBrowser, type OpenedPage } from '../../support/browser.js';
import { eventually } from '../../support/eventually.js';
import { Cluster, type TestUser } from '../support/cluster.js';
import { CountedLoad } from '../support/counted-load.js';
import { openSignedIn, rowsOf, type Row } from '../support/page-views.js';

export const TOKEN = 'the-token-of-three-instances';

export class PageStage {
  readonly load = new CountedLoad();
  /** Writes of users by the method of their request. */
  readonly writes = { POST: 0, PATCH: 0 };
  #cluster: Cluster | undefined;
  #browser: Browser | undefined;
  #opened: OpenedPage | undefined;

  async start(): Promise<void> {
    this.#cluster = await Cluster.start({
      CACHE_ADMIN_TOKEN: TOKEN,
      CACHE_ADMIN_ACTIONS: 'true',
      CACHE_AUDIT: '1',
    });
    this.#browser = await startBrowser();
    const [{ process }] = this.cluster.instances;
    this.#opened = await openSignedIn(this.browser, process.url, TOKEN);
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.#cluster?.stop();
  }

  get cluster(): Cluster {
    if (!this.#cluster) throw new Error('The instances have not started');
    return this.#cluster;
  }

  get browser(): Browser {
    if (!this.#browser) throw new Error('The browser has not started');
    return this.#browser;
  }

  /** Signed in. */
  get page(): Page {
    if (!this.#opened) throw new Error('The page is not open');
    return this.#opened.page;
  }

  /** Errors of scripts and violations of the policy, in all views so far. */
  get faults(): readonly string[] {
    return this.#opened?.faults ?? [];
  }

  createUser(): Promise<TestUser> {
    this.writes.POST += 1;
    return this.cluster.createUser();
  }

  async rename(writer: 0 | 1 | 2, { id }: TestUser): Promise<void> {
    this.writes.PATCH += 1;
    const username = `renamed-${this.writes.PATCH}`;
    const answer = await this.cluster.instances[writer].patch(`/users/${id}`, { username });
    if (answer.status !== 200) throw new Error(`Not renamed: ${answer.body.toString()}`);
  }

  /** Reads until the answer is a hit, and counts all reads. */
  warm(instance: 0 | 1 | 2, path: string): Promise<void> {
    return eventually(async () => {
      const { cache } = await this.load.get(this.cluster.instances[instance], path);
      if (cache !== 'hit') throw new Error(`GET ${path}: ${cache}`);
    });
  }

  /** The row of a table whose column has the value now. */
  async rowOf(table: string, column: string, value: string): Promise<Row | undefined> {
    return (await rowsOf(this.page, table)).find((row) => row[column] === value);
  }
}

/** The list of the users of the region, which has no other user. */
export function listOf({ region }: TestUser): string {
  return `/users?region=${region}`;
}

/** As the page shows a region of users: its value is masked. */
export function regionOf(dimension: string, value: string | number): string {
  const name = `public.users\0${dimension}=${value}`;
  return `${dimension} = ${createHash('sha256').update(name).digest('hex').slice(0, 6)}`;
}
