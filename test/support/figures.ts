/** Prometheus' text as figures. */

export interface Figure {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export const figuresIn = (text: string): Figure[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, label = '', of = '']) => [label, of])),
        value: Number(value),
      };
    });

/** The sum of a figure over all of its lines that have these labels. */
export const sumOf = (
  figures: readonly Figure[],
  name: string,
  labels: Record<string, string> = {},
): number =>
  figures
    .filter(
      (figure) =>
        figure.name === name &&
        Object.entries(labels).every(([label, of]) => figure.labels[label] === of),
    )
    .reduce((sum, { value }) => sum + value, 0);
