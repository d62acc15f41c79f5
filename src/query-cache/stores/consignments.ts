import type { CacheEntry } from '../core/entry-store.js';
import { encodeEntry } from './entry-codec.js';

/** An entry on its way. */
export interface Consignment {
  readonly entry: CacheEntry;
  readonly onSent: (() => void) | undefined;
}

interface Ready extends Consignment {
  readonly text: string;
}

/**
 * What is on its way through cache-manager, whose layers hand on a key and a text, look for the notation of
 * telejson in every character of it and know nothing of who waits. They get a short ticket in the text's place.
 */
export class Consignments {
  readonly #ready = new Map<string, Ready>();
  #tickets = 0;

  /** The ticket for the entry, whose text is kept until it is sent. */
  async ticketFor(consignment: Consignment): Promise<string> {
    const text = await encodeEntry(consignment.entry);
    this.#tickets += 1;
    const ticket = `ticket-${this.#tickets}`;
    this.#ready.set(ticket, { ...consignment, text });
    return ticket;
  }

  /**
   * Lets `send` have the text as JSON, and then tells whoever waits.
   *
   * @param ticket as JSON, as the last layer has it.
   */
  send<T>(ticket: string, send: (json: string) => T): T {
    const name = ticket.slice(1, -1);
    const consignment = this.#ready.get(name);
    if (!consignment) throw new Error('An entry was to be sent that is not on its way.');
    this.#ready.delete(name);
    // Base64 has nothing to escape.
    const sent = send(`"${consignment.text}"`);
    consignment.onSent?.();
    return sent;
  }
}
