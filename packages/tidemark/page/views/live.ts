import type { VNode } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LiveRequest } from '../../src/observe/report.js';
import { OUTCOME_TONES } from '../causes.js';
import { bytes, counted, duration, NONE, timeOfDay } from '../format.js';
import { html } from '../html.js';
import { dataTable, type Column } from '../parts/data-table.js';
import { empty, heading, tag } from '../parts/bits.js';
import { FilterField } from '../parts/filter-field.js';
import { linkTo, type Route } from '../routes.js';
import { matches } from '../sorting.js';
import { usePage } from '../use-page.js';

/** Older requests are dropped. */
const MAX_KEPT = 500;

type Row = LiveRequest & { readonly id: number };

interface Feed {
  readonly rows: readonly Row[];
  readonly leftOut: number;
}

const NOTHING: Feed = { rows: [], leftOut: 0 };

export function LiveView(): VNode {
  const { route, connection } = usePage();
  const [isPaused, setPaused] = useState(false);
  const [feed, setFeed] = useState(NOTHING);
  const held = useRef(NOTHING);
  const paused = useRef(isPaused);
  const lastId = useRef(0);
  const [heldCount, setHeldCount] = useState(0);
  paused.current = isPaused;

  useEffect(
    () =>
      connection.onRequests(({ requests, leftOut }) => {
        const rows = requests.map((request) => ({ ...request, id: (lastId.current += 1) }));
        const arrived = { rows: rows.reverse(), leftOut };
        if (!paused.current) return setFeed((last) => joined(last, arrived));
        held.current = joined(held.current, arrived);
        setHeldCount(held.current.rows.length);
      }),
    [connection],
  );
  const toggle = (): void => {
    if (isPaused) {
      const waiting = held.current;
      held.current = NOTHING;
      setHeldCount(0);
      setFeed((last) => joined(last, waiting));
    }
    setPaused(!isPaused);
  };

  const filter = route.params['filter'] ?? '';
  const rows = useMemo(
    () => feed.rows.filter((row) => matches(searchText(row), filter)),
    [feed, filter],
  );
  const columns = useMemo(() => columnsOf(route), [route.params['source']]);
  return html`<div>
    ${heading('Live', 'Requests as they come to the instance that answers this page, the last 500.')}
    <div class="toolbar">
      <button type="button" class="primary" aria-pressed=${isPaused} onClick=${toggle}>
        ${isPaused ? 'Continue' : 'Pause'}
      </button>
      <${FilterField}
        label="Filter by query, outcome or reason"
        shown=${rows.length}
        total=${feed.rows.length}
        noun="request"
      />
      <p class="muted num" role="status">
        ${
          isPaused
            ? `Paused: ${heldCount === MAX_KEPT ? 'more than ' : ''}${counted(heldCount, 'request')} waiting.`
            : ''
        }
      </p>
      <p class="muted left-out">
        ${
          feed.leftOut > 0
            ? `${counted(feed.leftOut, 'request')} left out by sampling since you opened this view.`
            : 'No request was left out.'
        }
      </p>
    </div>
    ${
      feed.rows.length === 0
        ? empty(
            'Nothing has come since you opened this view.',
            html`Call a route with <code>@CacheQuery</code>, for example <code>GET /users</code>.
              Requests to other instances are not shown here.`,
          )
        : dataTable({
            label: 'Requests',
            columns,
            rows,
            keyOf: ({ id }) => String(id),
            isLong: true,
          })
    }
  </div>`;
}

function joined(last: Feed, arrived: Feed): Feed {
  return {
    rows: [...arrived.rows, ...last.rows].slice(0, MAX_KEPT),
    leftOut: last.leftOut + arrived.leftOut,
  };
}

function searchText({ query, outcome, level, reason }: LiveRequest): string {
  return `${query} ${outcome} ${level ?? ''} ${reason ?? ''}`;
}

function columnsOf(route: Route): readonly Column<Row>[] {
  return [
    {
      id: 'query',
      label: 'Query',
      cell: ({ query }) =>
        html`<a class="name" href=${linkTo(route, 'queries', query)}>${query}</a>`,
    },
    {
      id: 'outcome',
      label: 'Outcome',
      cell: ({ outcome }) => tag(OUTCOME_TONES[outcome], outcome),
    },
    { id: 'level', label: 'Level', cell: ({ level }) => level ?? NONE },
    { id: 'reason', label: 'Reason', cell: ({ reason }) => reason ?? NONE },
    {
      id: 'took',
      label: 'Took',
      isNumber: true,
      cell: ({ durationMs }) => duration(durationMs),
    },
    {
      id: 'bytes',
      label: 'Size',
      isNumber: true,
      cell: ({ bytes: size }) => bytes(size),
    },
    { id: 'at', label: 'At', isNumber: true, cell: ({ atMs }) => timeOfDay(atMs) },
  ];
}
