/** Answers that say that the server cannot serve now, whatever the command. */
export const OUTAGE_REPLIES: ReadonlySet<string> = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOAUTH',
  'NOPERM',
  'NOREPLICAS',
  'READONLY',
  'WRONGPASS',
]);
