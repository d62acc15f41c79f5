/**
 * A table that is sorted by any of its columns. Where it is narrow, its rows are cards (table.css). Of a long one only
 * the rows in sight are in the document (visible-rows.ts).
 */
import type { ComponentType, VNode } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { component, html, type Content } from '../html.js';
import { parseOrder, orderText, sorted, type Order, type SortValue } from '../sorting.js';
import { usePage } from '../use-page.js';
import { useVisibleRows } from './visible-rows.js';

export interface Column<Row> {
  readonly id: string;
  readonly label: string;
  /** What the column holds, where its label is not enough. */
  readonly hint?: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => Content;
  /** Without it, the table is not sorted by the column. */
  readonly sortBy?: (row: Row) => SortValue;
}

export interface TableProps<Row> {
  /** What the rows are. */
  readonly label: string;
  /** The first column names its row. */
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Without it, rows stay in the order given. */
  readonly order?: Order;
  /** The parameter of the route that holds the order; tables of one view differ in it. */
  readonly orderParam?: string;
  /** Cells of one line each, so that all rows are equally high and a long table scrolls inside. */
  readonly isLong?: boolean;
}

export function dataTable<Row>(props: TableProps<Row>): VNode {
  return component<TableProps<Row>>(DataTable as ComponentType<TableProps<Row>>, props);
}

function DataTable<Row>(props: TableProps<Row>): VNode {
  const { label, columns, rows, keyOf, isLong = false, orderParam = 'sort' } = props;
  const { route, setParams } = usePage();
  const order = props.order && parseOrder(route.params[orderParam], props.order);
  const wrap = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLTableSectionElement>(null);

  const shown = useMemo(() => {
    const column = columns.find(({ id }) => id === order?.column);
    return order && column?.sortBy ? sorted(rows, column.sortBy, order.isDescending) : rows;
  }, [rows, columns, order?.column, order?.isDescending]);
  const { from, to, rowHeight } = useVisibleRows({ count: isLong ? shown.length : 0, wrap, body });
  const visible = isLong ? shown.slice(from, to) : shown;
  const sortBy = (next: Order): void => setParams({ [orderParam]: orderText(next) });

  return html`<div class="table ${isLong ? 'table-long' : ''}">
    ${order && sortSelect(columns, order, sortBy)}
    <div class="table-wrap" ref=${wrap} tabindex="0" role="group" aria-label=${label}>
      <table role="table" aria-label=${label} aria-rowcount=${shown.length + 1}>
        <thead role="rowgroup">
          <tr role="row">
            ${columns.map((column) => headerCell(column, order, sortBy))}
          </tr>
        </thead>
        <tbody role="rowgroup" ref=${body}>
          ${spacer('before', isLong ? from * rowHeight : 0)}
          ${visible.map(
            (row, index) =>
              html`<tr
                role="row"
                key=${keyOf(row)}
                aria-rowindex=${(isLong ? from : 0) + index + 2}
              >
                ${columns.map((column, at) => bodyCell(column, row, at === 0))}
              </tr>`,
          )}
          ${spacer('after', isLong ? (shown.length - to) * rowHeight : 0)}
        </tbody>
      </table>
    </div>
  </div>`;
}

function spacer(key: string, height: number): Content {
  if (height <= 0) return null;
  return html`<tr
    key=${key}
    class="spacer"
    aria-hidden="true"
    style=${{ height: `${height}px` }}
  />`;
}

function headerCell<Row>(
  { id, label, hint, isNumber, sortBy }: Column<Row>,
  order: Order | undefined,
  sort: (order: Order) => void,
): VNode {
  const isSorted = order?.column === id;
  const direction = order?.isDescending ? 'descending' : 'ascending';
  // A first click shows the largest numbers, or the first names.
  const isDescending = isSorted ? !order.isDescending : isNumber === true;
  return html`<th
    key=${id}
    role="columnheader"
    scope="col"
    class=${isNumber ? 'num' : ''}
    title=${hint}
    aria-sort=${isSorted ? direction : undefined}
  >
    ${
      order && sortBy
        ? html`<button
            type="button"
            class="sort"
            onClick=${() => sort({ column: id, isDescending })}
          >
            ${label}<span class="sort-mark" aria-hidden="true"
              >${isSorted ? (order.isDescending ? '↓' : '↑') : ''}</span
            >
          </button>`
        : label
    }
  </th>`;
}

function bodyCell<Row>(
  { id, label, isNumber, cell }: Column<Row>,
  row: Row,
  isName: boolean,
): VNode {
  const props = { key: id, class: isNumber ? 'num' : '', 'data-label': label };
  return isName
    ? html`<th role="rowheader" scope="row" ...${props}>${cell(row)}</th>`
    : html`<td role="cell" ...${props}>${cell(row)}</td>`;
}

/** Where rows are cards there are no headers to sort by. */
function sortSelect<Row>(
  columns: readonly Column<Row>[],
  { column, isDescending }: Order,
  sort: (order: Order) => void,
): VNode {
  const onChange = (event: Event): void => {
    sort({ column: (event.currentTarget as HTMLSelectElement).value, isDescending });
  };
  return html`<div class="sort-select">
    <label>
      Sort by
      <select value=${column} onChange=${onChange}>
        ${columns
          .filter(({ sortBy }) => sortBy)
          .map(({ id, label }) => html`<option key=${id} value=${id}>${label}</option>`)}
      </select>
    </label>
    <button type="button" onClick=${() => sort({ column, isDescending: !isDescending })}>
      ${isDescending ? '↓ Descending' : '↑ Ascending'}
    </button>
  </div>`;
}
