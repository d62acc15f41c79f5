const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
};

/** The bytes that `67108864`, `64MB` or `64 MiB` means (1 KB is 1024 bytes); `undefined`: none. */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d{1,15}) ?([KMG]?)(?:i?(B))?$/i.exec(text.trim());
  if (!match) return undefined;
  const [, digits = '', prefix = '', suffix = ''] = match;
  if (prefix !== '' && suffix === '') return undefined;
  const factor = UNITS[(prefix + suffix).toUpperCase()];
  const bytes = factor === undefined ? Number.NaN : Number(digits) * factor;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
