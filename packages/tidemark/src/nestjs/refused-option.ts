/** @throws Error that names the option of `QueryCacheModule`, what is wrong with its value, and the remedy. */
export function refuseOption(option: string, problem: string, remedy: string): never {
  throw new Error(`QueryCacheModule option \`${option}\` ${problem}: ${remedy}.`);
}
