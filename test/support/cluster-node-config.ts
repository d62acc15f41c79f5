/** A node counts another one as down after about this time without an answer. */
const NODE_TIMEOUT_MS = '1000';

const COMMON = {
  'cluster-node-timeout': NODE_TIMEOUT_MS,
  'cluster-require-full-coverage': 'no',
  // The test decides which replica follows which primary.
  'cluster-allow-replica-migration': 'no',
  // A replica takes over however long its link to the primary was down.
  'cluster-replica-validity-factor': '0',
  'repl-diskless-sync-delay': '0',
};

type Config = Readonly<Record<string, string>>;

export interface ClusterNodeOptions {
  /** Lines of redis.conf of every node, or a function that is called for each. */
  readonly config?: Config | (() => Promise<Config>);
  readonly password?: string;
}

/** The lines of redis.conf of one node. */
export async function clusterNodeConfig({ config, password }: ClusterNodeOptions): Promise<Config> {
  const login = password === undefined ? {} : { requirepass: password, masterauth: password };
  return { ...COMMON, ...login, ...(typeof config === 'function' ? await config() : config) };
}
