/**
 * Measures one column of the table in a separate process, so that the tap and the clients of one system stay apart
 * from those of another. Starts on its parent's one message, and ends with its parent.
 */
import 'reflect-metadata';
import { SCENARIOS, FOOTNOTES } from './scenarios/index.js';
import type { Scenario } from './scenarios/scenario.js';
import { failed, type Verdict } from './scenarios/verdict.js';
import { DriverTap } from './cluster/driver-tap.js';
import { Cluster } from './cluster/cluster.js';
import { SYSTEMS } from './systems/index.js';
import type { PeerSystem } from './systems/peer-cache.js';

export interface ColumnOrder {
  readonly system: string;
  /** Titles of scenarios, in order. */
  readonly titles: readonly string[];
  readonly databaseServerUrl: string;
}

export interface CellReport {
  readonly title: string;
  readonly verdict: Verdict;
}

const tap = DriverTap.install();

process.on('disconnect', () => process.exit(0));
process.once('message', (order: ColumnOrder) => {
  void findOut(order).finally(() => process.disconnect());
});

async function findOut({ system: id, titles, databaseServerUrl }: ColumnOrder): Promise<void> {
  const system = SYSTEMS.find((candidate) => candidate.id === id);
  for (const title of titles) {
    const scenario = [...SCENARIOS, ...FOOTNOTES].find((candidate) => candidate.title === title);
    if (!system || !scenario) throw new Error(`There is no ${id} or no “${title}”`);
    const report: CellReport = { title, verdict: await cell(scenario, system, databaseServerUrl) };
    process.send?.(report);
  }
}

async function cell(scenario: Scenario, system: PeerSystem, serverUrl: string): Promise<Verdict> {
  const clusters: Cluster[] = [];
  const open = async (): Promise<Cluster> => {
    const cluster = await Cluster.open(system, tap, serverUrl);
    clusters.push(cluster);
    return cluster;
  };
  try {
    return await scenario.run(system, open);
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  } finally {
    for (const cluster of clusters) await cluster.close();
  }
}
