import type { WriteStream } from 'node:tty';
import type { SeedProgress } from './seed.js';

const BAR_CELLS = 30;
const LINE_EVERY_PERCENT = 10;

type Output = Pick<WriteStream, 'write'> & { readonly isTTY?: boolean };

/** Shows progress as a bar that fills on a terminal, and as a line every tenth elsewhere. */
export function progressBar(label: string, output: Output): SeedProgress {
  return output.isTTY ? bar(label, output) : lines(label, (line) => output.write(`${line}\n`));
}

/** Says the progress in a line, about ten times in all. */
export function lines(label: string, say: (line: string) => void): SeedProgress {
  let saidPercent = 0;
  return (done, total) => {
    const percent = Math.floor((done / total) * 100);
    if (percent < saidPercent + LINE_EVERY_PERCENT && done < total) return;
    saidPercent = percent;
    say(`${label}: ${done} of ${total}`);
  };
}

function bar(label: string, output: Output): SeedProgress {
  return (done, total) => {
    const filled = Math.round((done / total) * BAR_CELLS);
    const cells = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
    output.write(`\r${label} ${cells} ${done}/${total}${done >= total ? '\n' : ''}`);
  };
}
