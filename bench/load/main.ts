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
import { loadAverage, machine } from './report/machine.js';
import { png, svg, type Bars } from './report/picture.js';
import { markdown } from './report/table.js';
import { targetsTable, type Reached } from './report/targets.js';
import { against } from './scenarios/against.js';
import type { Bench, Findings } from './scenarios/scenario.js';
import { SCENARIOS } from './scenarios/index.js';
import { compileApplications, removeApplications } from './harness/compile.js';
import { checkOut, commitOf, removeWorktree, type OtherCommit } from './harness/other-commit.js';
import { Servers } from './harness/servers.js';

const DOCS = join(import.meta.dirname, '../../docs');
const PACKAGES = ['fastify', '@fastify/compress'];

interface Wanted {
  readonly options: BenchOptions;
  readonly generator: LoadGenerator;
  /** The commit that this tree is compared with. */
  readonly commit: string | undefined;
}

function readArguments(): Wanted {
  try {
    const options = parseOptions(process.argv.slice(2));
    expectPlaces(options);
    const commit = options.against === undefined ? undefined : commitOf(options.against);
    return { options, generator: loadGenerator(options.generator), commit };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** @throws UsageError when a contender that is wanted takes part in none of the scenarios. */
function expectPlaces({ scenarios, contenders }: BenchOptions): void {
  const places = SCENARIOS.filter(({ id }) => scenarios.includes(id)).flatMap((scenario) =>
    scenario.contenders.map(({ id }) => id),
  );
  const idle = contenders.find((id) => !places.includes(id));
  if (idle === undefined) return;
  throw new UsageError(
    `--contender names ${idle}, which takes no part in ${scenarios.join(', ')}: give another --scenario, or leave it out.`,
  );
}

async function bench({ options, generator, commit }: Wanted): Promise<void> {
  const about = machine();
  const other = commit === undefined ? undefined : await checkOut(commit);
  let servers: Servers | undefined;
  try {
    await compileApplications();
    servers = await Servers.start(options.durable);
    const all = benchOf(servers, options, generator);
    const { rounds, seconds } = options;
    const how = `${generator.title}, ${rounds} rounds of ${seconds} s, medians (least–most)`;
    const versionText = await versions(servers.postgres, servers.redisProgram, PACKAGES);
    console.log(`${about}\n\n${versionText}\n\n${how}\n`);
    await (other ? compare(all, other) : report(all, `${about}\n${how}`));
    console.log(`\nLoad average at the end: ${loadAverage()}`);
  } finally {
    await servers?.stop();
    await removeApplications();
    if (other) removeWorktree(other.folder);
  }
}

function benchOf(servers: Servers, options: BenchOptions, generator: LoadGenerator): Bench {
  const { contenders, table } = options;
  return {
    servers,
    generator,
    options,
    wanted: (scenario) =>
      (table ? (scenario.compared ?? []) : scenario.contenders).filter(
        ({ id }) => contenders.length === 0 || contenders.includes(id),
      ),
    progress: (line) => console.error(line),
  };
}

async function compare(all: Bench, other: OtherCommit): Promise<void> {
  console.log(markdown(await against(all, other)));
}

async function report(all: Bench, note: string): Promise<void> {
  const findings = await runScenarios(all);
  console.log(markdown(targetsTable(reachedIn(findings))));
  const bars = findings.flatMap((found) => found.bars ?? []);
  if (all.options.write && bars.length > 0) await writePicture(bars, note);
}

/** Prints what each scenario finds. One that fails costs its own findings alone, and the exit code. */
async function runScenarios(all: Bench): Promise<Findings[]> {
  const findings: Findings[] = [];
  for (const scenario of SCENARIOS) {
    if (!all.options.scenarios.includes(scenario.id)) continue;
    if (all.wanted(scenario).length === 0) {
      all.progress(`${scenario.id}: none of the contenders takes part, left out`);
      continue;
    }
    try {
      const found = await scenario.run(all);
      findings.push(found);
      for (const table of found.tables) console.log(`${markdown(table)}\n`);
    } catch (error) {
      console.error(`${scenario.id} failed:`, error);
      process.exitCode = 1;
    }
  }
  return findings;
}

function reachedIn(findings: readonly Findings[]): Reached {
  return findings.reduce<Reached>((all, { reached }) => ({ ...all, ...reached }), {});
}

async function writePicture(bars: readonly Bars[], note: string): Promise<void> {
  const picture = svg('Hits: requests a second at 100 connections', note, bars);
  await writeFile(join(DOCS, 'bench.svg'), picture);
  await writeFile(join(DOCS, 'bench.png'), await png(picture));
}

await bench(readArguments()).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
