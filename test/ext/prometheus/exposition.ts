// Reads the text format of Prometheus (version 0.0.4), by hand and strictly: what the format allows
// and prom-client never writes, such as timestamps and lone samples, is refused too.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*/;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
};

/** @throws Error that names the line, if the text breaks a rule of the format. */
export function parseExposition(text: string): Family[] {
  if (!text.endsWith('\n')) throw new Error('the last line must end with a line feed');
  const families: (Family & { readonly samples: Sample[] })[] = [];
  const known = new Set<string>();
  let help: { readonly name: string; readonly text: string } | undefined;
  for (const [i, line] of text.split('\n').entries()) {
    const reader = new Reader(line, i + 1);
    if (line === '') continue;
    if (reader.skips('# HELP ')) {
      if (help !== undefined) reader.fail('a HELP line must be followed by its TYPE line');
      help = { name: reader.take(NAME), text: reader.escaped('', ['\\', 'n']) };
    } else if (reader.skips('# TYPE ')) {
      const name = reader.take(NAME);
      const type = reader.rest().slice(1);
      if (help?.name !== name) return reader.fail('a TYPE line must follow its HELP line');
      if (!Object.hasOwn(SUFFIXES, type)) reader.fail(`the type ${type} is not known`);
      if (families.some((family) => family.name === name)) reader.fail(`${name} is described twice`);
      families.push({ name, help: help.text.slice(1), type, samples: [] });
      help = undefined;
    } else {
      if (help !== undefined) reader.fail('a HELP line must be followed by its TYPE line');
      const family = families.at(-1) ?? reader.fail('a sample must follow the lines that describe its metric');
      family.samples.push(sampleOf(reader, family, known));
    }
  }
  for (const family of families) checkFamily(family);
  return families;
}

function sampleOf(reader: Reader, family: Family, known: Set<string>): Sample {
  const name = reader.take(NAME);
  if (!SUFFIXES[family.type]?.some((suffix) => name === family.name + suffix))
    reader.fail(`${name} is no sample of the ${family.type} ${family.name}`);
  const labels: Record<string, string> = {};
  if (reader.skips('{')) {
    do {
      const label = reader.take(LABEL);
      if (!reader.skips('="')) reader.fail('a label must have a value in quotes');
      if (Object.hasOwn(labels, label)) reader.fail(`the label ${label} is there twice`);
      Object.defineProperty(labels, label, { value: reader.escaped('"', ['\\', 'n', '"']), enumerable: true });
    } while (reader.skips(','));
    if (!reader.skips('}')) reader.fail('the labels must be closed');
  }
  if (!reader.skips(' ')) reader.fail('a space must come before the value');
  const written = reader.rest();
  if (!NUMBER.test(written)) reader.fail(`${written} is no number`);
  const value = Number(written.replace('Inf', 'Infinity'));
  const series = name + keyOf(labels);
  if (known.has(series)) reader.fail('the series is there twice');
  known.add(series);
  return { name, labels, value };
}

/** The labels as one text, whatever their order. */
export const keyOf = (labels: Sample['labels']): string =>
  JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

function checkFamily({ name, type, samples }: Family): void {
  if (type === 'counter')
    for (const { value } of samples) if (!(value >= 0)) throw new Error(`the counter ${name} is ${value}`);
  if (type === 'histogram') for (const [key, part] of seriesOf(samples)) checkHistogram(`${name}${key}`, name, part);
}

/** The samples of a histogram, by their labels without `le`. */
function seriesOf(samples: readonly Sample[]): Map<string, Sample[]> {
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = keyOf(labels);
    const others = series.get(key);
    if (others === undefined) series.set(key, [sample]);
    else others.push(sample);
  }
  return series;
}

function checkHistogram(title: string, name: string, samples: readonly Sample[]): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => (labels.le === '+Inf' ? Infinity : Number(labels.le ?? Number.NaN)));
  if (bounds.some((bound, i) => i > 0 && !(bound > Number(bounds[i - 1])))) throw new Error(`${title}: le must rise`);
  if (bounds.at(-1) !== Infinity) throw new Error(`${title}: the last bucket must be +Inf`);
  const counts = buckets.map(({ value }) => value);
  if (counts.some((count, i) => i > 0 && count < Number(counts[i - 1])))
    throw new Error(`${title}: the counts must not fall`);
  const one = (suffix: string): number => {
    const found = samples.filter((sample) => sample.name === name + suffix);
    if (found.length !== 1) throw new Error(`${title}: there must be one ${suffix}`);
    return found[0]?.value as number;
  };
  if (one('_count') !== counts.at(-1)) throw new Error(`${title}: _count must be the +Inf bucket`);
  if (!(one('_sum') >= 0)) throw new Error(`${title}: _sum must not be negative`);
}

/** Reads one line from its start to its end. */
class Reader {
  #line: string;
  readonly #number: number;

  constructor(line: string, number: number) {
    this.#line = line;
    this.#number = number;
  }

  skips(text: string): boolean {
    if (!this.#line.startsWith(text)) return false;
    this.#line = this.#line.slice(text.length);
    return true;
  }

  take(pattern: RegExp): string {
    const [found] = pattern.exec(this.#line) ?? this.fail(`no ${pattern}`);
    this.#line = this.#line.slice(found.length);
    return found;
  }

  rest(): string {
    const rest = this.#line;
    this.#line = '';
    return rest;
  }

  /** Up to the closing mark, or to the end of the line if it is ''. */
  escaped(closing: string, marks: readonly string[]): string {
    let text = '';
    for (let i = 0; i < this.#line.length; i += 1) {
      const mark = this.#line.charAt(i);
      if (mark === closing) {
        this.#line = this.#line.slice(i + 1);
        return text;
      }
      if (mark !== '\\') {
        text += mark;
        continue;
      }
      i += 1;
      const escaped = this.#line.charAt(i);
      if (!marks.includes(escaped)) this.fail(`\\${escaped} is no escape`);
      text += escaped === 'n' ? '\n' : escaped;
    }
    if (closing !== '') this.fail('the text is not closed');
    this.#line = '';
    return text;
  }

  fail(why: string): never {
    throw new Error(`line ${this.#number}: ${why}`);
  }
}
