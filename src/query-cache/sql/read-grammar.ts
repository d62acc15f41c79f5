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
  // A column of a function's rows, of JSON_TABLE or of XMLTABLE: read from text.
  ['ColumnDef', node('', 'colname is_local', { typeName: 'TextType' })],
  ['Integer', node('', 'ival')],
  [
    'JsonAggConstructor',
    node('agg_filter agg_order', '', { output: 'JsonOutput', over: 'WindowDef' }),
  ],
  ['JsonArgument', node('', 'name', { val: 'JsonValueExpr' })],
  [
    'JsonArrayAgg',
    node('', 'absent_on_null', { constructor: 'JsonAggConstructor', arg: 'JsonValueExpr' }),
  ],
  ['JsonArrayConstructor', node('exprs', 'absent_on_null', { output: 'JsonOutput' })],
  [
    'JsonArrayQueryConstructor',
    node('query', 'absent_on_null', { output: 'JsonOutput', format: 'JsonFormat' }),
  ],
  ['JsonBehavior', node('expr', 'btype coerce')],
  ['JsonFormat', node('', 'format_type encoding')],
  [
    'JsonFuncExpr',
    node('pathspec passing', 'op column_name wrapper quotes', {
      context_item: 'JsonValueExpr',
      output: 'JsonOutput',
      on_empty: 'JsonBehavior',
      on_error: 'JsonBehavior',
    }),
  ],
  ['JsonIsPredicate', node('expr', 'item_type unique_keys', { format: 'JsonFormat' })],
  ['JsonKeyValue', node('key', '', { value: 'JsonValueExpr' })],
  [
    'JsonObjectAgg',
    node('', 'absent_on_null unique', { constructor: 'JsonAggConstructor', arg: 'JsonKeyValue' }),
  ],
  ['JsonObjectConstructor', node('exprs', 'absent_on_null unique', { output: 'JsonOutput' })],
  ['JsonOutput', node('', '', { typeName: 'TextType', returning: 'JsonReturning' })],
  ['JsonParseExpr', node('', 'unique_keys', { expr: 'JsonValueExpr', output: 'JsonOutput' })],
  ['JsonReturning', node('', 'typid typmod', { format: 'JsonFormat' })],
  ['JsonScalarExpr', node('expr', '', { output: 'JsonOutput' })],
  [
    'JsonTable',
    node('passing columns', 'lateral alias', {
      context_item: 'JsonValueExpr',
      pathspec: 'JsonTablePathSpec',
      on_error: 'JsonBehavior',
    }),
  ],
  [
    'JsonTableColumn',
    node('columns', 'coltype name wrapper quotes', {
      typeName: 'TextType',
      pathspec: 'JsonTablePathSpec',
      format: 'JsonFormat',
      on_empty: 'JsonBehavior',
      on_error: 'JsonBehavior',
    }),
  ],
  ['JsonTablePathSpec', node('string', 'name name_location')],
  ['JsonValueExpr', node('raw_expr formatted_expr', '', { format: 'JsonFormat' })],
  ['List', node('items')],
  ['MinMaxExpr', node('args', 'op')],
  ['NamedArgExpr', node('arg', 'name argnumber')],
  ['NullTest', node('arg', 'nulltesttype')],
  ['ParamRef', node('', 'number')],
  ['RangeFunction', node('functions coldeflist', 'lateral ordinality is_rowsfrom alias')],
  ['RangeSubselect', node('subquery', 'lateral alias')],
  ['RangeTableFunc', node('docexpr rowexpr namespaces columns', 'lateral alias')],
  [
    'RangeTableFuncCol',
    node('colexpr coldefexpr', 'colname for_ordinality is_not_null', { typeName: 'TextType' }),
  ],
  ['RangeVar', node('', 'catalogname schemaname relname inh relpersistence alias')],
  ['ResTarget', node('val', 'name')],
  ['RowExpr', node('args', 'row_format')],
  ['SortBy', node('node', 'sortby_dir sortby_nulls useOp')],
  ['String', node('', 'sval')],
  ['SQLValueFunction', node('', 'op typmod')],
  ['SubLink', node('testexpr subselect', 'subLinkType operName')],
  // A type that values of a text are read as.
  ['TextType', node('typmods', 'names typemod arrayBounds')],
  ['TypeCast', node('arg', '', { typeName: 'TypeName' })],
  ['TypeName', node('typmods', 'names typemod arrayBounds')],
  [
    'WindowDef',
    node('partitionClause orderClause startOffset endOffset', 'name refname frameOptions'),
  ],
  ['XmlExpr', node('named_args args', 'op name arg_names xmloption indent')],
  ['XmlSerialize', node('expr', 'xmloption indent', { typeName: 'TypeName' })],
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
