/** This tree beside the build of another commit, in alternating turns: before and after. */
import type { Contender } from '../contenders/contender.js';
import { tidemark, tidemarkModules } from '../contenders/index.js';
import type { ScenarioId } from '../options.js';
import { spreadText, type Table } from '../report/table.js';
import type { OtherCommit } from '../harness/other-commit.js';
import { hitsRace } from './hits.js';
import { ratioOf, type Measured } from './measurement.js';
import { COMPARED_ROWS, missRace } from './miss.js';
import { patchRace } from './patch.js';
import { saveRace } from './save.js';
import type { Bench } from './scenario.js';

interface Measure {
  readonly scenario: ScenarioId;
  readonly title: string;
  readonly unit: 'perSecond' | 'p50Ms';
  readonly contender: Contender;
  race(bench: Bench, both: readonly Contender[]): Promise<readonly Measured[]>;
}

const BUSY = 100;
const ALONE = [1] as const;

const MEASURES: readonly Measure[] = [
  ...[1000, 10].map((rows): Measure => ({
    scenario: 'hits',
    title: `hit, ${rows} rows, ${BUSY} connections: requests/s`,
    unit: 'perSecond',
    contender: tidemark,
    race: async (bench, both) => (await hitsRace(bench, both, rows, [BUSY])).found,
  })),
  {
    scenario: 'miss',
    title: `miss, ${COMPARED_ROWS} rows, one connection: p50 ms`,
    unit: 'p50Ms',
    contender: tidemark,
    race: (bench, both) => missRace(bench, both, COMPARED_ROWS, ALONE),
  },
  {
    scenario: 'patch',
    title: 'PATCH, one connection: p50 ms',
    unit: 'p50Ms',
    contender: tidemark,
    race: (bench, both) => patchRace(bench, both, ALONE),
  },
  {
    scenario: 'save',
    title: '`repository.save()` in the modules, one connection: p50 ms',
    unit: 'p50Ms',
    contender: tidemarkModules,
    race: (bench, both) => saveRace(bench, both, ALONE),
  },
];

/** Rejects when one of both does not answer as it should. */
export async function against(bench: Bench, { commit, folder }: OtherCommit): Promise<Table> {
  const rows: string[][] = [];
  for (const { scenario, title, unit, contender, race } of MEASURES) {
    if (!bench.options.scenarios.includes(scenario)) continue;
    const id = `${contender.id}@${commit}`;
    const before = { ...contender, id, title: `${contender.title} at ${commit}`, checkout: folder };
    const [old, now] = await race(bench, [before, contender]);
    const ratio = ratioOf(unit, now, old);
    if (!old || !now || !ratio) throw new Error(`Nothing was found of: ${title}`);
    rows.push([title, ...[old[unit], now[unit], ratio].map(spreadText)]);
  }
  return {
    title: `Before (${commit}) and after (this tree): medians and, of the rounds, least and most`,
    columns: ['measure', 'before', 'after', 'after / before'],
    rows,
  };
}
