/** Who may see the page and act on it. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { wallClock, type Clock } from '../core/ports/clock.js';
import { isSecure } from './cross-site.js';
import type { PageRequest } from './http-exchange.js';
import { PageProblem } from './page-problem.js';
import { endSession, SESSION_MS, SessionCookie } from './session-cookie.js';
import { WrongTokens } from './wrong-tokens.js';

export interface PageAccessParts {
  readonly token: string | undefined;
  /** Whether a guard of the application has admitted the requests. */
  readonly isGuarded: boolean;
  readonly allowActions: boolean;
  readonly warn: (line: string) => void;
  /** Milliseconds since the Unix epoch. */
  readonly clock?: Clock;
}

export class PageAccess {
  readonly allowsActions: boolean;
  readonly isOpen: boolean;
  readonly #clock: Clock;
  readonly #digest: Buffer | undefined;
  readonly #cookie: SessionCookie | undefined;
  readonly #wrongTokens: WrongTokens;

  constructor({ token, isGuarded, allowActions, warn, clock = wallClock }: PageAccessParts) {
    this.isOpen = token !== undefined || isGuarded;
    this.allowsActions = allowActions;
    this.#clock = clock;
    this.#digest = token === undefined ? undefined : digestOf(token);
    this.#cookie = token === undefined ? undefined : new SessionCookie(token, clock);
    this.#wrongTokens = new WrongTokens(clock, () =>
      warn(
        'Five wrong tokens for the page within a minute: somebody guesses, or a script has an earlier token. ' +
          'Further ones are answered with 429.',
      ),
    );
  }

  /** @throws PageProblem if the page is closed. */
  requireOpen(): void {
    if (this.isOpen) return;
    throw new PageProblem(
      404,
      'page-closed',
      'The page is closed: start the service with a token for it, which CachePageModule.forRoot({ token }) gets, or ' +
        'give it a guard of the application.',
    );
  }

  /**
   * Until when the request may read, in milliseconds since the Unix epoch.
   *
   * @throws PageProblem without a session or a right token.
   */
  requireReader({ headers }: PageRequest): number {
    this.requireOpen();
    const endMs = this.#cookie?.endOf(headers.cookie);
    if (endMs !== undefined) return endMs;
    const [, bearer] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    if (bearer !== undefined && this.#digest) this.#requireToken(bearer);
    if (bearer !== undefined || !this.#digest) return this.#clock.nowMs() + SESSION_MS;
    throw new PageProblem(
      401,
      'token-required',
      'Sign in with the token of the page, or send it as Authorization: Bearer <token>.',
      CHALLENGE,
    );
  }

  /** @throws PageProblem unless the request may also act. */
  requireActor(request: PageRequest): void {
    this.requireReader(request);
    if (this.allowsActions) return;
    throw new PageProblem(
      403,
      'actions-off',
      'The page only reads: start the service with CachePageModule.forRoot({ allowActions: true }) to act from here.',
    );
  }

  /**
   * The value of `Set-Cookie` for a session.
   *
   * @throws PageProblem if the token is wrong.
   */
  signIn(request: PageRequest): string {
    this.requireOpen();
    const { token } = request.body as { readonly token?: unknown };
    if (!this.#cookie) {
      throw new PageProblem(404, 'no-token', 'The page has no token: the application admits you.');
    }
    if (typeof token !== 'string') {
      throw new PageProblem(400, 'invalid-request', 'Send {"token": "..."}.');
    }
    this.#requireToken(token);
    return this.#cookie.begin(isSecure(request));
  }

  /** The value of `Set-Cookie` that ends the session. */
  signOut(request: PageRequest): string {
    this.requireOpen();
    return endSession(isSecure(request));
  }

  #requireToken(token: string): void {
    // Digests have one length: the comparison takes the same time for all tokens.
    if (this.#digest && timingSafeEqual(digestOf(token), this.#digest)) return;
    const waitSeconds = this.#wrongTokens.add();
    if (waitSeconds === undefined) {
      throw new PageProblem(401, 'wrong-token', 'The token is wrong.', CHALLENGE);
    }
    throw new PageProblem(
      429,
      'too-many-wrong-tokens',
      `The token is wrong, as were others within the last minute: wait ${waitSeconds} s before the next attempt.`,
      { 'retry-after': String(waitSeconds) },
    );
  }
}

const CHALLENGE = { 'www-authenticate': 'Bearer realm="tidemark"' };

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
