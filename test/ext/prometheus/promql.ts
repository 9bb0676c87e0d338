// Reads PromQL as far as names go: which metrics an expression selects, by which labels, and which
// labels, functions and durations it names. What it does not know, it refuses.

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Query {
  readonly selectors: readonly Selector[];
  /** The labels that are grouped or matched by. */
  readonly labels: readonly string[];
}

const FUNCTIONS = ['absent', 'changes', 'histogram_quantile', 'increase', 'label_values', 'rate'];
const AGGREGATIONS = ['avg', 'count', 'max', 'min', 'sum'];
const OPERATORS = ['and', 'or', 'unless', 'bool'];
const WITH_LABELS = ['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'];

const TOKEN =
  /\s+|(?<name>[a-zA-Z_:][\w:]*)|(?<text>"(?:[^"\\]|\\.)*")|(?<range>\[(?:\d+[smhdw]|\$__rate_interval)\])|(?<number>\d+(?:\.\d+)?)|(?<sign>=~|!~|!=|==|>=|<=|[-+*/%^<>=(){},])/y;

interface Token {
  readonly kind: 'name' | 'text' | 'range' | 'number' | 'sign';
  readonly text: string;
}

/** @throws Error if the expression has something that is not known here. */
export function parsePromql(expression: string): Query {
  const tokens = tokensOf(expression);
  const selectors: Selector[] = [];
  const labels: string[] = [];
  let at = 0;
  const next = (): Token => tokens[at++] ?? fail('something is missing at the end');
  const fail = (why: string): never => {
    throw new Error(`${why}: ${expression}`);
  };
  const names = (closing: string): string[] => {
    const found: string[] = [];
    for (let token = next(); token.text !== closing; token = next())
      if (token.kind === 'name') found.push(token.text);
      else if (token.text !== ',') fail(`${token.text} is no label`);
    return found;
  };
  const matchers = (): Matcher[] => {
    const found: Matcher[] = [];
    for (let token = next(); token.text !== '}'; token = next()) {
      if (token.text === ',') continue;
      const [operator, value] = [next(), next()];
      if (token.kind !== 'name' || value.kind !== 'text' || !['=', '!=', '=~', '!~'].includes(operator.text))
        fail(`${token.text} is no matcher`);
      found.push({ label: token.text, operator: operator.text, value: JSON.parse(value.text) as string });
    }
    return found;
  };
  while (at < tokens.length) {
    const { kind, text } = next();
    if (kind !== 'name' || OPERATORS.includes(text)) continue;
    const following = tokens[at]?.text;
    if (WITH_LABELS.includes(text)) {
      if (next().text !== '(') fail(`${text} must have labels`);
      labels.push(...names(')'));
    } else if (AGGREGATIONS.includes(text) || FUNCTIONS.includes(text)) {
      if (following !== '(' && !WITH_LABELS.includes(following ?? '')) fail(`${text} must be called`);
    } else if (following === '(') fail(`the function ${text} is not known`);
    else if (following === '{') {
      at += 1;
      selectors.push({ metric: text, matchers: matchers() });
    } else selectors.push({ metric: text, matchers: [] });
  }
  checkBrackets(tokens, fail);
  return { selectors, labels };
}

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.length) {
    const from = TOKEN.lastIndex;
    const found = TOKEN.exec(expression);
    if (found === null) throw new Error(`not known: ${expression.slice(from)}`);
    for (const [kind, text] of Object.entries(found.groups ?? {}))
      if (text !== undefined) tokens.push({ kind: kind as Token['kind'], text });
  }
  return tokens;
}

function checkBrackets(tokens: readonly Token[], fail: (why: string) => never): void {
  let depth = 0;
  for (const { text } of tokens) {
    depth += text === '(' ? 1 : text === ')' ? -1 : 0;
    if (depth < 0) fail('a bracket is closed that was not opened');
  }
  if (depth > 0) fail('a bracket is not closed');
}

/** The samples that there are, with their labels and the words of each label. */
export type Known = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/** What Prometheus adds to each sample of a target. */
const OF_THE_TARGET = ['job', 'instance'];
/** Their words are not a closed set, so a query may name any. */
const OPEN = [...OF_THE_TARGET, 'supervisor', 'group', 'slot', 'le'];

/** What the expression names and the samples do not have. */
export function unknownNames(expression: string, known: Known): string[] {
  const { selectors, labels } = parsePromql(expression);
  const faults: string[] = [];
  const anywhere = new Set(OF_THE_TARGET);
  for (const { metric, matchers } of selectors) {
    const its = known.get(metric);
    if (its === undefined) faults.push(`no metric ${metric}`);
    for (const label of its?.keys() ?? []) anywhere.add(label);
    for (const { label, operator, value } of matchers) {
      const words = its?.get(label);
      if (words === undefined && !OF_THE_TARGET.includes(label)) faults.push(`${metric} has no label ${label}`);
      if (words === undefined || OPEN.includes(label)) continue;
      const asked = operator.endsWith('~') ? value.split('|') : [value];
      for (const word of asked) if (!words.has(word)) faults.push(`${label} of ${metric} is never ${word}`);
    }
  }
  for (const label of labels) if (!anywhere.has(label)) faults.push(`no label ${label}`);
  return faults;
}

/** The labels of an expression's metrics. */
export function labelsIn(expression: string, known: Known): Set<string> {
  const its = parsePromql(expression).selectors.flatMap(({ metric }) => [...(known.get(metric)?.keys() ?? [])]);
  return new Set([...its, ...OF_THE_TARGET]);
}
