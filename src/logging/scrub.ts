const CREDENTIALS = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/** Takes user and password out of every URL in a text. */
export function scrub(text: string): string {
  return text.replace(CREDENTIALS, '$1***@');
}
