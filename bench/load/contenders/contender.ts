import type { Place } from '../harness/servers.js';

/** The source of a warm contender's answers. */
export type Source = 'database' | 'shared cache' | 'process memory' | 'tidemark' | 'constant';

/** An application that answers `/users` over HTTP, in a separate process. */
export interface Contender {
  /** As `--contender` names it. */
  readonly id: string;
  /** Its row in the tables. */
  readonly title: string;
  readonly source: Source;
  /** Name of its program in applications/; absent: the built service, as its users start it. */
  readonly application?: string;
  /** The folder of the commit whose build it runs; absent: this one. */
  readonly checkout?: string;
  readonly env?: (place: Place) => Readonly<Record<string, string>>;
  /** What `Cache-Status` says of the hit that is to be measured. */
  readonly hitStatus?: RegExp;
  /** Answers 2xx when the contender can be asked. */
  readonly readyPath?: string;
}
