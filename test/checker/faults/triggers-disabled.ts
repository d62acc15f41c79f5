import { BOUNDS } from '../bounds.js';
import type { Fault } from './fault.js';
import { asOtherClient, requireShown, warmRow, writeRow } from './outside-row.js';

/**
 * As a restore of data does; the triggers come back as ordinary ones. The bound concerns outside writes alone: writes of
 * the service are published meanwhile.
 */
export const triggersDisabled: Fault = {
  kind: 'triggers disabled, rows written, triggers enabled',
  part: 'postgres',
  isQuick: false,
  isAlone: true,
  run: (context) =>
    asOtherClient(context, async (client) => {
      const { random, hold } = context;
      await writeRow(client);
      await warmRow(context);
      const offMs = random.integer(0, 1_500);
      await client.query('ALTER TABLE users DISABLE TRIGGER ALL');
      let email: string;
      try {
        email = await writeRow(client);
        await hold(offMs);
      } finally {
        await client.query('ALTER TABLE users ENABLE TRIGGER ALL');
      }
      const shown = await requireShown(context, email, BOUNDS['triggers-off'].ms);
      return `for ${offMs} ms; the row ${shown}`;
    }),
};
