export function describeApi(base: string): object {
  return { base };
}
