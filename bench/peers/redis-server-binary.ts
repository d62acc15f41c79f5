/** The path of a Redis server program, found or installed as the tests do. */
export async function redisServerBinary(): Promise<string> {
  const script = new URL('../../scripts/redis-server-binary.mjs', import.meta.url).href;
  const found = (await import(script)) as { redisServerBinary: () => string };
  return found.redisServerBinary();
}
