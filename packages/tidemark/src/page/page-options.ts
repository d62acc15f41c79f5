/** In characters. */
const MIN_TOKEN_LENGTH = 16;

/** Without a token and without a guard, the page is closed. */
export interface CachePageModuleOptions {
  /** Opens the page: at least 16 characters, such as those of `openssl rand -hex 32`, equal in all instances. */
  readonly token?: string | undefined;
  /** Whether the page may invalidate answers and switch the mode. Default: it only reads. */
  readonly allowActions?: boolean | undefined;
}

/** @throws Error that names the option and the remedy. */
export function checkOptions(path: string, { token }: CachePageModuleOptions): void {
  if (!/^[\w~-][\w.~-]*(\/[\w~-][\w.~-]*)*$/.test(path)) {
    refuse('path', `cannot be "${path}"`, 'give names separated by /, such as admin/tidemark');
  }
  if (token !== undefined && token.length < MIN_TOKEN_LENGTH) {
    refuse(
      'token',
      `is shorter than ${MIN_TOKEN_LENGTH} characters`,
      'make one with `openssl rand -hex 32`',
    );
  }
}

function refuse(option: string, problem: string, remedy: string): never {
  throw new Error(`CachePageModule option \`${option}\` ${problem}: ${remedy}.`);
}
