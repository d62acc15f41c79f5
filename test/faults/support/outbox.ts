/** The outbox of the namespace `tidemark`; src/cache-invalidation/outbox/outbox-objects.ts has the names. */
export const OUTBOX_CHANNEL = 'tidemark_tidemark';
/** As the relay writes it. */
export const OUTBOX = `"${OUTBOX_CHANNEL}"."outbox"`;
