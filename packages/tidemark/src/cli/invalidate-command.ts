/** `tidemark invalidate`: ends the answers of a table or of one region on all instances. */
import type { InvalidateRequest } from '../page/page-api.js';
import { UsageError, type Command } from './command.js';
import { PAGE_OPTIONS, PAGE_USAGE, PageClient } from './page-client.js';
import { parseArguments } from './parse-arguments.js';

export const invalidate: Command = {
  summary: 'end the answers of a table, or of one of its regions',
  usage: `Usage: tidemark invalidate <schema.table> [dimension=value] --url <address> [--token-file <file>] [--source <name>]\n${PAGE_USAGE}`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, PAGE_OPTIONS);
    const region = regionOf(positionals);
    const client = await PageClient.of(values, context);
    await client.post('invalidate', { regions: [region] } satisfies InvalidateRequest);
    const { table, dimension, value } = region;
    const ended = dimension === undefined ? table : `${table} with ${dimension}=${value}`;
    context.print(
      values.json ? JSON.stringify({ ended: [region] }) : `Ended the answers of ${ended}.`,
    );
    return 0;
  },
};

function regionOf([
  table,
  region,
  ...others
]: readonly string[]): InvalidateRequest['regions'][number] {
  if (table === undefined || !table.includes('.') || others.length > 0) {
    throw new UsageError('Give one table as schema.table, and at most one region of it.');
  }
  if (region === undefined) return { table };
  const at = region.indexOf('=');
  if (at < 1) throw new UsageError('Give the region as dimension=value.');
  return { table, dimension: region.slice(0, at), value: region.slice(at + 1) };
}
