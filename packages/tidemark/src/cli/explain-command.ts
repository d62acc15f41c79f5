/** `tidemark explain`: how the cache treats a query, and why its last answers ended. */
import type { MissReport } from '../observe/report.js';
import type { QueryPage, QueryTreatment } from '../page/page-api.js';
import { UsageError, type Command, type Print } from './command.js';
import { PAGE_OPTIONS, PAGE_USAGE, PageClient } from './page-client.js';
import { parseArguments } from './parse-arguments.js';
import { durationOf, plain, tableOf } from './plain-text.js';

export const explain: Command = {
  summary: 'print how the cache treats a query, and which writes ended its answers',
  usage: `Usage: tidemark explain <query> --url <address> [--token-file <file>] [--source <name>] [--json]\n${PAGE_USAGE}`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, PAGE_OPTIONS);
    const [query, ...others] = positionals;
    if (query === undefined || others.length > 0) {
      throw new UsageError('Give the name of one query: `tidemark stats` prints them.');
    }
    const client = await PageClient.of(values, context);
    const page = await client.get(`queries/${encodeURIComponent(query)}`, isQueryPage);
    if (values.json) context.print(JSON.stringify(page, undefined, 2));
    else show(page, context.print);
    return 0;
  },
};

function show({ treatment, misses }: QueryPage, print: Print): void {
  if (treatment) showTreatment(treatment, print);
  else print('The instance that answers has not run the query yet, or long ago.');
  if (misses.length === 0) return;
  print('');
  for (const line of tableOf(['last misses', 'cause', 'ended by'], misses.map(rowOf))) print(line);
}

function showTreatment(treatment: QueryTreatment, print: Print): void {
  print(plain(treatment.sql));
  print('');
  if (!treatment.cacheable) {
    const { reason, detail, remedy } = treatment;
    print(plain(`Not cached: ${reason}${detail === undefined ? '' : ` (${detail})`}`));
    print(plain(`What to change: ${remedy}`));
    return;
  }
  const { key, dependencies, entry } = treatment;
  print(`Cached under the key ${plain(key)}`);
  if (entry) {
    const { level, bytes, ageMs, leftMs } = entry;
    print(
      `Stored in ${level}: ${bytes} bytes, ${durationOf(ageMs)} old, for ${durationOf(leftMs)} more`,
    );
  } else print('No valid answer is stored.');
  print('');
  const rows = dependencies.map(({ table, names, reason }) => [table, names.join(' '), reason]);
  for (const line of tableOf(['depends on', 'regions', 'because'], rows)) print(line);
}

function rowOf({ atMs, cause, outdated, endedBy }: MissReport): readonly string[] {
  const regions = outdated.map(({ table, names }) => `${table} ${names.join(' ')}`).join(', ');
  const what = regions === '' ? cause : `${cause}: ${regions}`;
  return [`${durationOf(Math.max(0, Date.now() - atMs))} ago`, what, writeOf(endedBy)];
}

function writeOf(write: MissReport['endedBy']): string {
  if (!write) return '';
  const { statements, origin, source } = write;
  const title = statements[0]?.title ?? (source === 'outside' ? 'another writer' : source);
  return origin === undefined ? title : `${title} of ${origin}`;
}

function isQueryPage(answer: unknown): answer is QueryPage {
  const { query, misses } = (answer ?? {}) as Partial<QueryPage>;
  return typeof query === 'object' && Array.isArray(misses);
}
