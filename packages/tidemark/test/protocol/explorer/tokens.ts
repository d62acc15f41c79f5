/** Numbers the tokens of a text. Tokens are opaque: texts that differ by their names alone are equal. */
const NAME = /\u03C4\d+/g;
const NUMBER = /\u03BD\d+/g;

export interface Numbered {
  /** The text with a number in the place of each token. */
  readonly text: string;
  /** The tokens by their numbers, which is the order in which they first appear. */
  readonly tokens: ReadonlyMap<string, string>;
}

export function tokenName(count: number): string {
  return `\u03C4${count}`;
}

export function numbered(text: string, tokens = new Map<string, string>()): Numbered {
  return {
    text: text.replace(NAME, (token) => {
      let number = tokens.get(token);
      if (number === undefined) tokens.set(token, (number = `\u03BD${tokens.size}`));
      return number;
    }),
    tokens,
  };
}

/** The text with the tokens in the places of their numbers. */
export function named(text: string, tokens: ReadonlyMap<string, string>): string {
  const names = [...tokens.keys()];
  return text.replace(NUMBER, (number) => names[Number(number.slice(1))] ?? number);
}
