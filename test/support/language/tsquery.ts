/**
 * Evaluates `tsvector @@ tsquery`, for the notation that the program writes: terms in quotes with positions;
 * `& | !`, `<N>`, `:*` and brackets.
 */
export function matches(vector: string, query: string): boolean {
  const positions = new Map<string, number[]>();
  for (const [, term, at] of vector.matchAll(/'([^']*)':(\d+)/g))
    positions.set(term!, [...(positions.get(term!) ?? []), Number(at)]);
  const signs = query.match(/'[^']*'(:\*)?|<\d+>|[&|!()]/g) ?? [];
  let next = 0;
  const take = (sign: string) => signs[next] === sign && (next += 1) > 0;

  /** The positions at which it ends, or whether it matches at all. */
  type Met = Set<number> | boolean;
  const holds = (met: Met) => (typeof met === 'boolean' ? met : met.size > 0);

  const operand = (): Met => {
    if (take('!')) return !holds(operand());
    if (take('(')) {
      const met = anyOf();
      if (!take(')')) throw new Error(`a bracket is missing in ${query}`);
      return met;
    }
    const sign = signs[next];
    if (!sign?.startsWith("'")) throw new Error(`a term is missing in ${query}`);
    next += 1;
    const [, term, prefix] = /^'(.*)'(:\*)?$/.exec(sign)!;
    if (prefix === undefined) return new Set(positions.get(term!));
    return new Set([...positions].flatMap(([each, at]) => (each.startsWith(term!) ? at : [])));
  };
  const inOrder = (): Met => {
    let met = operand();
    for (let sign = signs[next]; sign?.startsWith('<'); sign = signs[next]) {
      next += 1;
      const [before, after] = [met, operand()];
      if (typeof before === 'boolean' || typeof after === 'boolean') throw new Error(`no phrase: ${query}`);
      const distance = Number(sign.slice(1, -1));
      met = new Set([...after].filter((at) => before.has(at - distance)));
    }
    return met;
  };
  const allOf = (): Met => {
    let met = inOrder();
    while (take('&')) {
      const other = inOrder();
      met = holds(met) && holds(other);
    }
    return met;
  };
  const anyOf = (): Met => {
    let met = allOf();
    while (take('|')) {
      const other = allOf();
      met =
        typeof met === 'boolean' || typeof other === 'boolean'
          ? holds(met) || holds(other)
          : met.union(other);
    }
    return met;
  };
  const met = anyOf();
  if (next !== signs.length) throw new Error(`not all of it is a query: ${query}`);
  return holds(met);
}
