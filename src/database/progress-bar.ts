import type { WriteStream } from 'node:tty';
import type { SeedProgress } from './seed.js';

const BAR_CELLS = 30;
const LINE_EVERY_PERCENT = 10;

type Output = Pick<WriteStream, 'write'> & { readonly isTTY?: boolean };

/** Shows progress on a terminal as a bar that fills, elsewhere as one line for every tenth. */
export function progressBar(
  label: string,
  output: Output,
  writeLine: (line: string) => unknown = (line) => output.write(`${line}\n`),
): SeedProgress {
  let shownPercent = 0;
  return (done, total) => {
    if (output.isTTY) {
      const filled = Math.round((done / total) * BAR_CELLS);
      const cells = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
      output.write(`\r${label} ${cells} ${done}/${total}${done >= total ? '\n' : ''}`);
      return;
    }
    const percent = Math.floor((done / total) * 100);
    if (percent < shownPercent + LINE_EVERY_PERCENT && done < total) return;
    shownPercent = percent;
    writeLine(`${label}: ${done} of ${total}`);
  };
}
