/** A strict reader of Prometheus' text format: what it does not understand is an error. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedExposition {
  readonly samples: readonly Sample[];
  /** Type of each family. */
  readonly types: ReadonlyMap<string, string>;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? ([-+0-9.eE]+|\\+Inf|NaN)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/gy;

/** Throws for a line that is none, and for a sample without a type. */
export function parseExposition(text: string): ParsedExposition {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.slice(0, -1).split('\n')) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) {
      const [, name = '', kind = ''] = type;
      if (types.has(name)) throw new Error(`two types of ${name}`);
      types.set(name, kind);
      continue;
    }
    if (/^# HELP \S+ .+$/.test(line)) continue;
    const sample = parseSample(line);
    const family = sample.name.replace(/_(bucket|sum|count)$/, '');
    const known = types.get(sample.name) ?? (types.get(family) === 'histogram' ? family : '');
    if (known === '') throw new Error(`no type before ${line}`);
    samples.push(sample);
  }
  return { samples, types };
}

function parseSample(line: string): Sample {
  const match = SAMPLE.exec(line);
  if (match === null) throw new Error(`no sample: ${line}`);
  const [, name = '', list = '', number = ''] = match;
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let read = 0;
  while (read < list.length) {
    const label = LABEL.exec(list);
    if (label === null) throw new Error(`bad labels: ${line}`);
    const [whole, key = '', value = ''] = label;
    labels[key] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
    read += whole.length;
  }
  return { name, labels, value: number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number) };
}
