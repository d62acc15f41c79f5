/** Which rows of a long table are in sight, of rows that are equally high. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';

/** Shorter tables are rendered whole. */
const MIN_VIRTUAL = 60;
/** Rows above and below that are rendered too, so that scrolling shows no gap. */
const MARGIN_ROWS = 12;
const GUESSED_HEIGHT = 40;

interface VisibleRows {
  readonly from: number;
  /** Not included. */
  readonly to: number;
  /** In pixels. */
  readonly rowHeight: number;
}

interface Parts {
  readonly count: number;
  readonly wrap: RefObject<HTMLElement | null>;
  readonly body: RefObject<HTMLTableSectionElement | null>;
}

export function useVisibleRows({ count, wrap, body }: Parts): VisibleRows {
  const isVirtual = count > MIN_VIRTUAL;
  const [{ first, inSight, rowHeight }, setSight] = useState({
    first: 0,
    inSight: MIN_VIRTUAL,
    rowHeight: GUESSED_HEIGHT,
  });

  const look = (): void => {
    if (!isVirtual || !wrap.current || !body.current) return;
    const row = body.current.querySelector<HTMLElement>('tr:not(.spacer)');
    const height = row?.getBoundingClientRect().height || GUESSED_HEIGHT;
    const clip = wrap.current.getBoundingClientRect();
    const top = Math.max(0, clip.top);
    const bottom = Math.min(innerHeight, clip.bottom);
    const above = Math.floor((top - body.current.getBoundingClientRect().top) / height);
    const next = {
      first: Math.max(0, above),
      inSight: Math.max(1, Math.ceil((bottom - top) / height)),
      rowHeight: height,
    };
    setSight((last) =>
      last.first === next.first && last.inSight === next.inSight && last.rowHeight === height
        ? last
        : next,
    );
  };

  useLayoutEffect(look);
  useEffect(() => {
    if (!isVirtual) return;
    // In the capturing phase, so that the page's scrolling and the table's are both seen.
    addEventListener('scroll', look, { capture: true, passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look, { capture: true });
      removeEventListener('resize', look);
    };
  }, [isVirtual]);

  if (!isVirtual) return { from: 0, to: count, rowHeight };
  const from = Math.max(0, Math.min(first, count - inSight) - MARGIN_ROWS);
  return { from, to: Math.min(count, first + inSight + MARGIN_ROWS), rowHeight };
}
