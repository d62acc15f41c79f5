/** The outbox of the namespace `tidemark`; packages/tidemark/src/postgres/capture/outbox-objects.ts has the names. */
export const OUTBOX_CHANNEL = 'tidemark_tidemark';
/** As the relay writes it. */
export const OUTBOX = `"${OUTBOX_CHANNEL}"."outbox"`;
