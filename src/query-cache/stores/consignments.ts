import type { CacheEntry } from '../core/entry-store.js';
import { encodeEntry } from './entry-codec.js';

/** An entry on its way. */
export interface Consignment {
  readonly entry: CacheEntry;
  readonly onSent: (() => void) | undefined;
}

interface Ready {
  readonly text: string;
  readonly onSent: Consignment['onSent'];
}

/**
 * What is on its way through cache-manager, whose layers hand on a key and a text, look for the notation of
 * telejson in every character of it and know nothing of who waits. They get a short ticket in the text's place.
 */
export class Consignments {
  readonly #ready = new Map<string, Ready>();
  #tickets = 0;

  /** The ticket for the entry, whose text is kept until it is sent. */
  async ticketFor({ entry, onSent }: Consignment): Promise<string> {
    const text = await encodeEntry(entry);
    this.#tickets += 1;
    const ticket = `ticket-${this.#tickets}`;
    this.#ready.set(ticket, { text, onSent });
    return ticket;
  }

  /**
   * Lets `send` have the text as JSON, and then tells whoever waits.
   *
   * @param ticket as JSON, as the last layer has it.
   */
  send<T>(ticket: string, send: (json: string) => T): T {
    const name = ticket.slice(1, -1);
    const ready = this.#ready.get(name);
    if (!ready) throw new Error('An entry was to be sent that is not on its way.');
    this.#ready.delete(name);
    // Base64 has nothing to escape.
    const sent = send(`"${ready.text}"`);
    ready.onSent?.();
    return sent;
  }
}
