/**
 * Bars in panels, as one SVG without a script, for pages in light and dark: it has a background of its own, so that it can be read
 * also where the page and the system disagree. Pure.
 */
interface Bar {
  name: string;
  value: number;
  text: string;
  /** The one that the others are compared with. */
  own: boolean;
}

export interface Panel {
  title: string;
  bars: readonly Bar[];
}

const COLUMNS = 2;
const PANEL = { width: 430, top: 34, row: 22, gap: 26 };
const NAME = 104;
const LONGEST = 250;
const EDGE = 20;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .card { fill: #ffffff; stroke: #d1d9e0 }
  .bar { fill: #8c959f }
  .own { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .card { fill: #0d1117; stroke: #3d444d }
    .bar { fill: #6e7681 }
    .own { fill: #4493f8 }
  }
`;

export function plotOf(panels: readonly Panel[]): string {
  const lines = Math.max(0, ...panels.map(({ bars }) => bars.length));
  const height = PANEL.top + lines * PANEL.row + PANEL.gap;
  const rows = Math.ceil(panels.length / COLUMNS);
  const size = {
    width: COLUMNS * PANEL.width + EDGE,
    height: rows * height + 2 * EDGE - PANEL.gap,
  };
  const [width, total] = [String(size.width), String(size.height)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${total}" viewBox="0 0 ${width} ${total}" role="img">`,
    `<title>${escaped(panels.map(summary).join(' '))}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${String(size.width - 1)}" height="${String(size.height - 1)}" rx="8"/>`,
    ...panels.map((panel, index) => {
      const x = EDGE + (index % COLUMNS) * PANEL.width;
      const y = EDGE + Math.floor(index / COLUMNS) * height;
      return `<g transform="translate(${String(x)} ${String(y)})">\n${drawn(panel)}\n</g>`;
    }),
    '</svg>\n',
  ].join('\n');
}

const summary = ({ title, bars }: Panel): string =>
  `${title}: ${bars.map(({ name, text }) => `${name} ${text}`).join(', ')}.`;

function drawn({ title, bars }: Panel): string {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const lines = bars.map(({ name, value, text, own }, index) => {
    const y = PANEL.top + index * PANEL.row;
    const length = Math.max(1, (value / most) * LONGEST);
    const base = String(y + 12);
    return [
      `<text x="0" y="${base}">${escaped(name)}</text>`,
      `<rect class="bar${own ? ' own' : ''}" x="${String(NAME)}" y="${String(y)}" width="${length.toFixed(1)}" height="15" rx="2"/>`,
      `<text x="${(NAME + length + 6).toFixed(1)}" y="${base}">${escaped(text)}</text>`,
    ].join('\n');
  });
  return [`<text class="title" x="0" y="16">${escaped(title)}</text>`, ...lines].join('\n');
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
