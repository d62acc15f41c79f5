/**
 * Runs every scenario against every system and prints the table. Exits with 1 only when Tidemark
 * has given a stale answer; what a peer answers is a finding, not a failure.
 *
 * `--only <text>` runs the scenarios whose title has the text, `--system <id>` one system.
 */
import 'reflect-metadata';
import { parseArgs } from 'node:util';

import { PostgresServer } from '../../test/support/postgres-server.js';
import { redisServerBinary } from './redis-server-binary.js';
import { SCENARIOS } from './scenarios/index.js';
import { whileWriterIsCutOff } from './scenarios/outages.js';
import type { Scenario } from './scenarios/scenario.js';
import type { Verdict } from './scenarios/verdict.js';
import { DriverTap } from './stage/driver-tap.js';
import { Stage } from './stage/stage.js';
import { SYSTEMS } from './systems/index.js';
import type { PeerSystem } from './systems/peer-cache.js';
import { tidemark } from './systems/tidemark.js';
import { markdownNotes, markdownTable, type Row } from './table.js';
import { versions } from './versions.js';

const { values: wanted } = parseArgs({
  options: { only: { type: 'string', default: '' }, system: { type: 'string', default: '' } },
});
const scenarios = SCENARIOS.filter(({ title }) =>
  title.toLowerCase().includes(wanted.only.toLowerCase()),
);
const systems = SYSTEMS.filter(({ id }) => wanted.system === '' || id === wanted.system);

const redis = await redisServerBinary();
process.env['REDIS_SERVER'] = redis;
const tap = DriverTap.install();
const postgres = await PostgresServer.start();

async function cell(scenario: Scenario, system: PeerSystem): Promise<Verdict> {
  const stages: Stage[] = [];
  const open = async (): Promise<Stage> => {
    const stage = await Stage.open(system, tap, postgres);
    stages.push(stage);
    return stage;
  };
  try {
    const verdict = await scenario.run(system, open);
    console.error(`${scenario.title} | ${system.title}: ${verdict.state} ${verdict.how}`);
    return verdict;
  } finally {
    for (const stage of stages) await stage.close();
  }
}

try {
  const rows: Row[] = [];
  for (const scenario of scenarios) {
    const verdicts: Verdict[] = [];
    for (const system of systems) verdicts.push(await cell(scenario, system));
    rows.push({ title: scenario.title, note: scenario.note, verdicts });
  }
  const columns = systems.map(({ title }) => title);
  console.log(`${await versions(postgres, redis)}\n`);
  console.log(`${markdownTable(columns, rows)}\n\n${markdownNotes(rows)}`);
  const ours = systems.indexOf(tidemark);
  const isStale = rows.some(({ verdicts }) => verdicts[ours]?.state === 'stale');
  process.exitCode = isStale ? 1 : 0;
} finally {
  await postgres.stop();
}
