import type { Contender } from '../contenders/contender.js';
import type { LoadGenerator } from '../generator/load.js';
import type { BenchOptions, ScenarioId } from '../options.js';
import type { Bars } from '../report/picture.js';
import type { Table } from '../report/table.js';
import type { Reached } from '../report/targets.js';
import type { Servers } from '../harness/servers.js';

/** The parts that every scenario works with. */
export interface Bench {
  readonly servers: Servers;
  readonly generator: LoadGenerator;
  readonly options: BenchOptions;
  /** Those contenders of a scenario that the run wants. */
  wanted(scenario: Scenario): readonly Contender[];
  /** Says what is under way, beside the report. */
  progress(line: string): void;
}

export interface Findings {
  readonly tables: readonly Table[];
  readonly reached: Reached;
  /** Of the picture. */
  readonly bars?: readonly Bars[];
}

export interface Scenario {
  readonly id: ScenarioId;
  /** Those that take part. */
  readonly contenders: readonly Contender[];
  /** Those of them that the last table needs; absent: it needs nothing from here. */
  readonly compared?: readonly Contender[];
  /** Rejects when a contender does not answer as it should, or is not what it says. */
  run(bench: Bench): Promise<Findings>;
}
