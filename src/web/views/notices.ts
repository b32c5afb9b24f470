/**
 * What a person must know about the machinery, and nothing when all is well: connection, workers,
 * simulator. One table; each row says when it shows and in which words.
 */
import type { Readiness } from '../../client/wire.js';
import { attribute, h, setText, show } from '../dom.js';
import type { StreamState } from '../stream.js';

export interface Situation {
  stream: StreamState | null;
  readiness: Readiness | null;
  stale: boolean;
  /** The job whose page this is has not ended. */
  isRunning: boolean;
  simulated: boolean;
}

interface Row {
  id: string;
  tone: 'warn' | 'info';
  text: string;
  when(situation: Situation): boolean;
}

const unreachable = ({ stream }: Situation): boolean => stream?.kind === 'lost';

const ROWS: readonly Row[] = [
  {
    id: 'connection',
    tone: 'warn',
    text: 'Connection lost, trying again… The job continues without this page.',
    when: unreachable,
  },
  {
    id: 'temporal',
    tone: 'warn',
    text: 'Temporal cannot be reached; the job is safe and continues when it is back.',
    when: (situation) => !unreachable(situation) && situation.readiness?.temporal === false,
  },
  {
    id: 'workers',
    tone: 'warn',
    text: 'No worker is running; the job is safe and continues when one starts.',
    when: (situation) =>
      !unreachable(situation) &&
      situation.isRunning &&
      situation.readiness?.temporal !== false &&
      (situation.stale || situation.readiness?.workers === 0),
  },
  {
    id: 'simulator',
    tone: 'info',
    text: 'Simulator: clips are made on this machine and cost nothing; prices are what the provider would ask. Set REPLICATE_API_TOKEN for real ones.',
    when: ({ simulated }) => simulated,
  },
];

export function notices(root: HTMLElement): (situation: Situation) => void {
  const shown = ROWS.map((row) => {
    const text = h('p', {});
    const element = h(
      'div',
      { class: `banner banner--${row.tone}`, 'data-notice': row.id, hidden: true, role: 'status' },
      text,
    );
    return { row, text, element };
  });
  root.replaceChildren(...shown.map(({ element }) => element));
  return (situation) => {
    for (const { row, text, element } of shown) {
      const visible = row.when(situation);
      // The text comes after the element is shown: only then is a status announced.
      show(element, visible);
      setText(text, visible ? row.text : '');
      attribute(element, 'data-shown', visible);
    }
  };
}
