/**
 * `npm run bench`: measures contenders in turn and prints what was found as Markdown. Exits with 1
 * when a contender was not what it says, with 2 when the arguments are wrong.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { versions } from '../peers/versions.js';
import { loadGenerator } from './generator/index.js';
import type { LoadGenerator } from './generator/load.js';
import { parseOptions, USAGE, UsageError, type BenchOptions } from './options.js';
import { machine } from './report/machine.js';
import { png, svg, type Bars } from './report/picture.js';
import { markdown } from './report/table.js';
import { targetsTable } from './report/targets.js';
import type { Bench, Findings } from './scenarios/scenario.js';
import { SCENARIOS } from './scenarios/index.js';
import { compileApplications } from './stand/compile.js';
import { Servers } from './stand/servers.js';

const DOCS = join(import.meta.dirname, '../../docs');
const PACKAGES = ['fastify', '@fastify/compress'];

function readArguments(): { options: BenchOptions; generator: LoadGenerator } {
  try {
    const options = parseOptions(process.argv.slice(2));
    return { options, generator: loadGenerator(options.generator) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function bench({ options, generator }: ReturnType<typeof readArguments>): Promise<void> {
  const about = machine();
  await compileApplications();
  const servers = await Servers.start(options.durable);
  try {
    const all: Bench = {
      servers,
      generator,
      options,
      wanted: (contenders) =>
        contenders.filter(
          ({ id }) => options.contenders.length === 0 || options.contenders.includes(id),
        ),
      progress: (line) => console.error(line),
    };
    const findings = await runScenarios(all);
    const versionText = await versions(servers.postgres, servers.redisProgram, PACKAGES);
    const { rounds, seconds } = options;
    const how = `${generator.title}, ${rounds} rounds of ${seconds} s, medians (least–most)`;
    console.log(`${about}\n\n${versionText}\n\n${how}\n`);
    for (const { tables } of findings) {
      for (const table of tables) console.log(`${markdown(table)}\n`);
    }
    const reached = Object.assign(
      {},
      ...findings.map((found) => found.reached),
    ) as Findings['reached'];
    console.log(markdown(targetsTable(reached)));
    const bars = findings.flatMap((found) => found.bars ?? []);
    if (options.write && bars.length > 0) await writePicture(bars, `${about}; ${how}`);
  } finally {
    await servers.stop();
  }
}

async function runScenarios(all: Bench): Promise<Findings[]> {
  const findings: Findings[] = [];
  for (const scenario of SCENARIOS) {
    if (!all.options.scenarios.includes(scenario.id)) continue;
    if (all.wanted(scenario.contenders).length === 0) {
      all.progress(`${scenario.id}: none of the contenders takes part, left out`);
      continue;
    }
    findings.push(await scenario.run(all));
  }
  return findings;
}

async function writePicture(bars: readonly Bars[], note: string): Promise<void> {
  const picture = svg('Hits: requests a second at 100 connections', note, bars);
  await writeFile(join(DOCS, 'bench.svg'), picture);
  await writeFile(join(DOCS, 'bench.png'), png(picture));
}

await bench(readArguments()).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
