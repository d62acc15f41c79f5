/**
 * The parts of the grammar that a cached SELECT may have. For each node type its fields: those to
 * walk on, and those that change nothing for caching. A node or field that is not listed is
 * refused, so nothing in a statement goes unread.
 */
export interface NodeGrammar {
  /** Fields that hold nodes or lists of nodes. */
  readonly nodes: readonly string[];
  /** Fields that hold a part of a known type, without the type's name. */
  readonly parts: Readonly<Record<string, string>>;
  readonly plain: readonly string[];
}

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

function node(nodes: string, plain = '', parts: Record<string, string> = {}): NodeGrammar {
  return { nodes: words(nodes), plain: ['location', ...words(plain)], parts };
}

export const READ_GRAMMAR: ReadonlyMap<string, NodeGrammar> = new Map([
  ['A_ArrayExpr', node('elements', 'list_start list_end')],
  ['A_Const', node('', 'ival fval boolval sval bsval isnull')],
  ['A_Expr', node('lexpr rexpr', 'kind name rexpr_list_start rexpr_list_end')],
  ['A_Indices', node('lidx uidx', 'is_slice')],
  ['A_Indirection', node('arg indirection')],
  ['A_Star', node('')],
  ['BoolExpr', node('args', 'boolop')],
  ['BooleanTest', node('arg', 'booltesttype')],
  ['CaseExpr', node('arg args defresult')],
  ['CaseWhen', node('expr result')],
  ['CoalesceExpr', node('args')],
  ['CollateClause', node('arg', 'collname')],
  ['ColumnRef', node('', 'fields')],
  [
    'FuncCall',
    node(
      'args agg_order agg_filter',
      'funcname agg_within_group agg_star agg_distinct func_variadic funcformat',
      { over: 'WindowDef' },
    ),
  ],
  ['GroupingFunc', node('args')],
  ['GroupingSet', node('content', 'kind')],
  [
    'JoinExpr',
    node('larg rarg quals', 'jointype isNatural usingClause join_using_alias alias rtindex'),
  ],
  ['List', node('items')],
  ['MinMaxExpr', node('args', 'op')],
  ['NamedArgExpr', node('arg', 'name argnumber')],
  ['NullTest', node('arg', 'nulltesttype')],
  ['ParamRef', node('', 'number')],
  ['RangeFunction', node('functions', 'lateral ordinality is_rowsfrom alias')],
  ['RangeSubselect', node('subquery', 'lateral alias')],
  ['RangeVar', node('', 'catalogname schemaname relname inh relpersistence alias')],
  ['ResTarget', node('val', 'name')],
  ['RowExpr', node('args', 'row_format')],
  ['SortBy', node('node', 'sortby_dir sortby_nulls useOp')],
  ['String', node('', 'sval')],
  ['SubLink', node('testexpr subselect', 'subLinkType operName')],
  ['TypeCast', node('arg', '', { typeName: 'TypeName' })],
  ['TypeName', node('typmods', 'names typemod arrayBounds')],
  [
    'WindowDef',
    node('partitionClause orderClause startOffset endOffset', 'name refname frameOptions'),
  ],
]);

/** Fields of a SELECT that hold nodes; its other fields are taken one by one. */
export const SELECT_NODES: readonly string[] = words(
  'distinctClause targetList fromClause whereClause groupClause havingClause windowClause ' +
    'valuesLists sortClause limitOffset limitCount',
);

export const SELECT_FIELDS: ReadonlySet<string> = new Set([
  ...SELECT_NODES,
  ...words('groupDistinct limitOption withClause op all larg rarg'),
]);
