/**
 * Runs every scenario against every system and prints the table as Markdown. Exits with 1 only when
 * Tidemark has given a stale answer, and with 2 when a cell could not be found out; what a peer
 * answers is a finding, not a failure.
 *
 * `--only <text>` runs the scenarios whose title has the text, `--system <id>` one system.
 */
import { parseArgs } from 'node:util';
import { PostgresServer } from '../../test/support/postgres-server.js';
import { column } from './column.js';
import { redisServerBinary } from './redis-server-binary.js';
import { FOOTNOTES, SCENARIOS } from './scenarios/index.js';
import type { Scenario } from './scenarios/scenario.js';
import type { Verdict } from './scenarios/verdict.js';
import { SYSTEMS } from './systems/index.js';
import type { PeerSystem } from './systems/peer-cache.js';
import { tidemark } from './systems/tidemark.js';
import { cellText, markdownNotes, markdownTable, type Row } from './table.js';
import { versions } from './versions.js';

const { values: wanted } = parseArgs({
  options: { only: { type: 'string', default: '' }, system: { type: 'string', default: '' } },
});
const isWanted = ({ title }: Scenario): boolean =>
  title.toLowerCase().includes(wanted.only.toLowerCase());
const scenarios = SCENARIOS.filter(isWanted);
const footnotes = FOOTNOTES.filter(isWanted);
const systems = SYSTEMS.filter(({ id }) => wanted.system === '' || id === wanted.system);

const redis = await redisServerBinary();
process.env['REDIS_SERVER'] = redis;
const postgres = await PostgresServer.start();

async function verdictsOf(system: PeerSystem): Promise<ReadonlyMap<string, Verdict>> {
  const own = system === tidemark ? [...scenarios, ...footnotes] : scenarios;
  const titles = own.map(({ title }) => title);
  const order = { system: system.id, titles, databaseServerUrl: postgres.url };
  return column(order, ({ title, verdict }) => {
    console.error(`${system.title}, ${title}: ${cellText(verdict)}`);
  });
}

try {
  // All at once: most of it is waiting for what is away to come back.
  const found = new Map(
    await Promise.all(systems.map(async (system) => [system, await verdictsOf(system)] as const)),
  );
  const verdictOf = (system: PeerSystem, title: string): Verdict | undefined =>
    found.get(system)?.get(title);
  const rows = scenarios.map(({ title, note }): Row => {
    const verdicts = systems.map((system) => verdictOf(system, title));
    return { title, note, verdicts: verdicts.filter((verdict) => verdict !== undefined) };
  });
  const columns = systems.map(({ title }) => title);
  console.log(`${await versions(postgres, redis)}\n`);
  console.log(`${markdownTable(columns, rows)}\n\n${markdownNotes(rows)}`);
  for (const { title, note } of footnotes) {
    const verdict = verdictOf(tidemark, title);
    if (verdict) console.log(`\n${title}: ${cellText(verdict)}. ${note}`);
  }
  const all = rows.flatMap(({ verdicts }) => verdicts);
  const isStale = rows.some(({ title }) => verdictOf(tidemark, title)?.state === 'stale');
  if (all.some(({ state }) => state === 'failed')) process.exitCode = 2;
  if (isStale) process.exitCode = 1;
} finally {
  await postgres.stop();
}
