/** What the launcher tells the service over their channel. */
export type LauncherMessage =
  | { readonly kind: 'progress'; readonly line: string }
  | { readonly kind: 'ready'; readonly url: string; readonly dataDirectory: string }
  | { readonly kind: 'failed'; readonly message: string };

/** The service tells the launcher only this; the end of the channel means the same. */
export const STOP = 'stop';
