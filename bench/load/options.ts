/** Options of a run: its scenarios and their duration. */
import { parseArgs } from 'node:util';
import { CONTENDERS } from './contenders/index.js';

export const SCENARIO_IDS = [
  'hits',
  'gzip',
  'not-modified',
  'miss',
  'patch',
  'save',
  'outside',
  'stampede',
  'replicas',
  'zipf',
  'writes',
  'entries',
  'l1-memory',
  'page',
] as const;
export type ScenarioId = (typeof SCENARIO_IDS)[number];

/** Those that the last table and `--against` are made of. */
const COMPARED: readonly ScenarioId[] = ['hits', 'miss', 'patch', 'save'];

export const GENERATORS = ['wrk', 'autocannon'] as const;
export type GeneratorName = (typeof GENERATORS)[number];

export interface BenchOptions {
  readonly scenarios: readonly ScenarioId[];
  /** Ids of the contenders; all that a scenario has where this is empty. */
  readonly contenders: readonly string[];
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** The load generator; absent: wrk where it is on the path, else autocannon. */
  readonly generator: GeneratorName | undefined;
  /** Only what the last table needs. */
  readonly table: boolean;
  /** Compares this tree with the build of another commit, by its name in git. */
  readonly against: string | undefined;
  /** Little of everything: to see that the bench works, not for figures. */
  readonly quick: boolean;
  /** PostgreSQL waits for the disk at each commit. */
  readonly durable: boolean;
  /** Write the picture into docs/. */
  readonly write: boolean;
}

export class UsageError extends Error {}

export const USAGE = `Usage: npm run bench -- [options]
  --scenario A,B     of ${SCENARIO_IDS.join(', ')} (all)
  --contender X,Y    of ${CONTENDERS.map(({ id }) => id).join(', ')} (all)
  --rounds N         rounds, in which every contender has its turn (5; with --against 15)
  --seconds N        length of one measurement (5; with --table or --against 2)
  --generator G      wrk or autocannon (wrk where it is on the path)
  --table            only what the last table needs: about 10 minutes
  --against REF      before and after: this tree beside another commit; ${COMPARED.join(', ')} alone
  --quick            2 rounds of 1 second, and fewer writes and entries
  --durable          let PostgreSQL wait for the disk at each commit
  --write            write the picture to docs/bench.svg and docs/bench.png`;

/** @throws UsageError naming the option and what is right. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const values = read(args);
  const quick = values.quick === true;
  const table = values.table === true;
  const { against } = values;
  const isShort = table || against !== undefined;
  const known = isShort ? COMPARED : SCENARIO_IDS;
  if (against !== undefined && (table || values.contender !== undefined)) {
    throw new UsageError(
      '--against measures the service and its modules: leave --table and --contender out.',
    );
  }
  return {
    scenarios: listOf('scenario', values.scenario, known) ?? known,
    contenders:
      listOf(
        'contender',
        values.contender,
        CONTENDERS.map(({ id }) => id),
      ) ?? [],
    rounds: numberOf('rounds', values.rounds, defaultRounds(quick, against), 1_000),
    seconds: numberOf('seconds', values.seconds, quick ? 1 : isShort ? 2 : 5, 600),
    generator: oneOf('generator', values.generator, GENERATORS),
    table,
    against,
    quick,
    durable: values.durable === true,
    write: values.write === true,
  };
}

function defaultRounds(quick: boolean, against: string | undefined): number {
  if (quick) return 2;
  return against === undefined ? 5 : 15;
}

function read(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        scenario: text,
        contender: text,
        rounds: text,
        seconds: text,
        generator: text,
        table: flag,
        against: text,
        quick: flag,
        durable: flag,
        write: flag,
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function listOf<Name extends string>(
  option: string,
  text: string | undefined,
  known: readonly Name[],
): Name[] | undefined {
  if (text === undefined) return undefined;
  const names = text.split(',').map((name) => name.trim());
  const isKnown = (name: string): name is Name => known.some((candidate) => candidate === name);
  const unknown = names.find((name) => !isKnown(name));
  if (unknown === undefined) return names.filter(isKnown);
  throw new UsageError(
    `--${option} names ${JSON.stringify(unknown)}: give one or more of ${known.join(', ')}, with commas between.`,
  );
}

function oneOf<Name extends string>(
  option: string,
  text: string | undefined,
  known: readonly Name[],
): Name | undefined {
  const name = known.find((candidate) => candidate === text);
  if (text === undefined || name !== undefined) return name;
  throw new UsageError(`--${option} is ${JSON.stringify(text)}: give ${known.join(' or ')}.`);
}

function numberOf(
  option: string,
  text: string | undefined,
  fallback: number,
  most: number,
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new UsageError(
    `--${option} is ${JSON.stringify(text)}: give an integer from 1 to ${most}.`,
  );
}
