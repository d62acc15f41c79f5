/** Sends one statement and answers its rows, always over the same connection. */
export type RunSql = (sql: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
