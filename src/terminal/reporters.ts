/**
 * Three ways to show a job under way, one shape: a repainted screen on a terminal, a plain line an event elsewhere,
 * JSON for programs. Each gets the same calls; none decides anything.
 */
import type { WriteStream } from 'node:tty';
import type { FollowItem } from '../client/follow-events.js';
import { earlierText } from '../client/words.js';
import { finalTable } from './final-table.js';
import type { Results } from './final-table.js';
import { manyLines, oneLine, safeJson } from './format.js';
import { SIMULATOR_NOTICE, frame } from './frame.js';
import { openScreen } from './screen.js';
import type { View } from './view.js';
import { sentenceOf } from './sentences.js';

export interface Reporter {
  opened(view: View): void;
  /** After each item of the stream, and after anything else that changed the view (null). */
  changed(view: View, item: FollowItem | null): void;
  /** A remark that is neither an event nor part of the job. */
  say(text: string): void;
  ended(view: View, results: Results): void;
  close(): void;
}

interface Outputs {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

const line = (output: NodeJS.WritableStream, text: string): void => {
  output.write(`${text}\n`);
};

/** The events and nothing else on stdout; remarks on stderr. */
export const jsonReporter = ({ stdout, stderr }: Outputs): Reporter => ({
  opened: ({ place }) => {
    line(stderr, `Page: ${place.page_url}`);
  },
  changed: (_view, item) => {
    if (item?.kind === 'event') line(stdout, safeJson(JSON.stringify(item.event)));
  },
  say: (text) => {
    line(stderr, manyLines(text));
  },
  ended: () => undefined,
  close: () => undefined,
});

export const plainReporter = ({ stdout }: Outputs): Reporter => ({
  opened: ({ job, place }) => {
    line(stdout, `Job ${oneLine(job.job_id)} on ${oneLine(job.model)}: ${place.page_url}`);
    if (place.ui_url !== null) line(stdout, `Temporal Web UI: ${place.ui_url}`);
    if (job.simulated) line(stdout, SIMULATOR_NOTICE);
    const earlier = earlierText(job);
    if (earlier !== '') line(stdout, `warning: ${earlier}`);
    for (const warning of job.warnings) line(stdout, `warning: ${oneLine(warning)}`);
  },
  changed: (view, item) => {
    if (item?.kind === 'event') {
      const { at, progress } = item.event;
      line(stdout, `${at.slice(11, 19)} ${percent(progress.percent)} ${sentenceOf(item.event)}`);
    }
    if (item?.kind === 'lost')
      line(stdout, `connection lost (${oneLine(item.reason)}); trying again`);
  },
  say: (text) => {
    line(stdout, manyLines(text));
  },
  ended: ({ job }, results) => {
    line(stdout, `\n${finalTable(job, results).join('\n')}`);
  },
  close: () => undefined,
});

const percent = (value: number): string => `${String(Math.round(value)).padStart(3)} %`;

/** Countdowns and clocks move although nothing happens. */
const REPAINT = 250;

export function screenReporter(output: WriteStream): Reporter {
  let current: View | null = null;
  let open = true;
  const draw = (): void => {
    if (open && current !== null) screen.paint(frame(current, screen.size, Date.now()));
  };
  const screen = openScreen(output, draw);
  const timer = setInterval(draw, REPAINT);
  const close = (): void => {
    open = false;
    clearInterval(timer);
    screen.close();
  };
  return {
    opened(view) {
      current = view;
      draw();
    },
    changed(view) {
      current = view;
      draw();
    },
    say(text) {
      screen.say(manyLines(text));
    },
    ended(view, results) {
      current = view;
      draw();
      close();
      output.write(`\n${finalTable(view.job, results).join('\n')}\n`);
    },
    close,
  };
}
