/** Prometheus' text format, as far as it is needed here: families of lines with a type and a sentence. Pure. */

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';

export const family = (
  name: string,
  type: MetricType,
  help: string,
  lines: readonly string[],
): string[] => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];

/** `a="1",b="2"`, in the order given; a null label is left out. */
export const labelsOf = (labels: Readonly<Record<string, string | null>>): string =>
  Object.entries(labels)
    .flatMap(([name, value]) => (value === null ? [] : [`${name}="${escape(value)}"`]))
    .join(',');

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };
const escape = (value: string): string =>
  value.replace(/[\\"\n]/g, (found) => ESCAPES[found] ?? '');
