import type { Command } from '../connection/redis-link.js';
import { textOf } from '../connection/redis.errors.js';
import type { NodeEndpoint } from '../connection/node-address.js';

/**
 * An error reply that concerns the slot of the keys, not the node that answered:
 * - `moved`: another node has the slot;
 * - `ask`: the slot is being moved, and the keys, unless they are missing, are in the other node already;
 * - `split`: the slot is being moved, and only some of the keys have been. A script may have run in part;
 * - `down`: no node serves the slot.
 */
export class SlotReply {
  constructor(
    readonly kind: 'moved' | 'ask' | 'split' | 'down',
    readonly text: string,
    /** Of `moved` and `ask`. Without a host it is a port of the node that answered. */
    readonly target?: NodeEndpoint,
  ) {}
}

/** Turns replies about the slot into values, so that the connection to the node stays. */
export function withSlotReplies<T>(command: Command<T>): Command<T | SlotReply> {
  return (client, node) => command(client, node).catch(slotReplyOf);
}

/** Rethrows any other error. */
function slotReplyOf(error: unknown): SlotReply {
  const text = textOf(error);
  const redirection = /^(MOVED|ASK) \d+ (.*):(\d+)$/.exec(text);
  if (redirection) {
    const [, code, host = '', port] = redirection;
    const kind = code === 'ASK' ? 'ask' : 'moved';
    return new SlotReply(kind, text, { host, port: Number(port) });
  }
  if (/^TRYAGAIN |\bnon local key\b/.test(text)) return new SlotReply('split', text);
  if (/^CLUSTERDOWN |\bwhile the cluster is down\b/.test(text)) return new SlotReply('down', text);
  throw error;
}
