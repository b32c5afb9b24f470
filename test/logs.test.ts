/** Texts of others in what processes print: nothing in it moves a cursor, hides a line or makes up an entry of the log. */
import { Writable } from 'node:stream';
import { format } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JobEvent } from '../src/domain/job/job.schema.js';
import { jsonReporter, plainReporter } from '../src/terminal/reporters.js';
import { openView } from '../src/terminal/view.js';
import type { View } from '../src/terminal/view.js';
import { createLogger, reportsTo } from '../src/logging/logger.js';
import { workerLogger } from '../src/logging/worker-log.js';
import { FakeJobs } from './api/fake-jobs.js';
import { harness } from './api/harness.js';

const CONTROL = /(?!\n)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const hostile = fc
  .array(
    fc.constantFrom(
      '\u001b[2J',
      '\u009b2J',
      '\u001b]0;x\u0007',
      '\u202e',
      '\u2028',
      '\r',
      '\n',
      'a',
    ),
    { minLength: 1, maxLength: 10 },
  )
  .map((parts) => parts.join(''));

/** What is written to stderr meanwhile; a console of its own writes there too. */
function heard(): string[] {
  const said: string[] = [];
  const note = (text: unknown): true => {
    said.push(String(text));
    return true;
  };
  const spies = [
    vi.spyOn(process.stderr, 'write').mockImplementation(note),
    vi.spyOn(console, 'error').mockImplementation((...parts) => void note(`${format(...parts)}\n`)),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  return said;
}

/** A line that a text began would stand in the first column. */
const madeUp = (said: readonly string[]): string[] =>
  said.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('entry'));

describe('the log', () => {
  it('of the API has one line of JSON for each entry, with any text in an error', async () => {
    const { app, jobs } = await harness({ log_level: 'error' });
    const said = heard();
    const messages = fc.sample(hostile, 40).map((text) => `${text}\nentry ${text}`);
    for (const message of messages) {
      jobs.find = () => Promise.reject(new Error(message));
      expect((await app.inject({ url: '/v1/jobs/a' })).statusCode).toBe(500);
    }
    const lines = said.join('').trimEnd().split('\n');
    expect(lines).toHaveLength(messages.length);
    expect(lines.map((line) => (JSON.parse(line) as { err: Error }).err.message)).toEqual(messages);
    expect(said.join('')).not.toMatch(CONTROL);
  });

  it.each(['info', 'trace'] as const)('of the worker at %s has none of it either', (level) => {
    const said = heard();
    const logger = workerLogger(level);
    for (const text of fc.sample(hostile, 40)) {
      logger.warn(`a failed ${text}`, { workflowId: text, error: new Error(`no ${text}`) });
    }
    expect(said.length).toBeGreaterThanOrEqual(40);
    expect(said.join('')).not.toMatch(CONTROL);
  });

  it('of the worker has what names a clip as fields', () => {
    const said = heard();
    workerLogger('info').warn('Activity failed', {
      workflowId: 'a',
      activityId: 'clip-3',
      attempt: 2,
      taskToken: 'completes the activity',
      error: new TypeError('no\nstack'),
    });
    expect(JSON.parse(said.join(''))).toMatchObject({
      name: 'worker',
      msg: 'Activity failed',
      job_id: 'a',
      clip_index: 3,
      execution: 2,
      reason: 'TypeError: no',
    });
  });

  it.each(['info', 'trace'] as const)('at %s has no token, key or password in a field', (level) => {
    const said = heard();
    const secret = 'r8_0123456789';
    const log = createLogger({ level });
    const headers = { authorization: `Bearer ${secret}`, host: 'here' };
    const err = Object.assign(new Error('refused'), { token: secret });
    log.error({ headers, request: { headers }, api_key: secret, err }, 'refused');
    log.error({ req: { method: 'GET', url: `/v1/jobs/a/events?api_key=${secret}` } }, 'refused');
    workerLogger(level).error('failed', { taskToken: secret, error: err });
    expect(said).toHaveLength(3);
    expect(said.join('')).not.toContain(secret);
    expect(said.join('')).toContain('"host":"here"');
  });

  it('on a terminal is lines for people, in which no text begins an entry of its own', () => {
    const isTTY = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
    Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
    onTestFinished(() => {
      if (isTTY === undefined) Reflect.deleteProperty(process.stderr, 'isTTY');
      else Object.defineProperty(process.stderr, 'isTTY', isTTY);
    });
    const said = heard();
    const log = createLogger({ level: 'info' });
    for (const text of fc.sample(hostile, 40)) {
      log.warn({ job_id: text, err: new Error(`${text}\nentry`) }, `late ${text}\nentry`);
    }
    expect(said[0]).toMatch(/WARN.*late/);
    const colour = new RegExp(String.raw`\u001b\[\d+m`, 'g');
    expect(said.join('').replace(colour, '')).not.toMatch(CONTROL);
    expect(madeUp(said)).toEqual([]);
  });

  it('of a command is one line, with any report of its parts', () => {
    const said = heard();
    const report = reportsTo(createLogger({ level: 'info' }));
    for (const text of fc.sample(hostile, 40)) report(`worker: stopped (${text}\nentry)`);
    expect(said.filter((line) => line.indexOf('\n') !== line.length - 1)).toEqual([]);
    expect(said.join('')).not.toMatch(CONTROL);
    expect(madeUp(said)).toEqual([]);
  });
});

describe('generate', () => {
  function printed(): { written: string[]; stream: NodeJS.WritableStream } {
    const written: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString());
        done();
      },
    });
    return { written, stream };
  }

  function eventOf(text: string): { event: JobEvent; view: View } {
    const jobs = new FakeJobs();
    jobs.add('a');
    const event = jobs.tell('a', { type: 'job.warning', message: text });
    const { job } = jobs.latest('a');
    const place = { page_url: 'http://127.0.0.1:3000/jobs/a', ui_url: null, out: 'out' };
    return { event, view: openView(job, place) };
  }

  it.each([
    ['--json', jsonReporter],
    ['without a terminal', plainReporter],
  ])('%s prints none of it, and JSON that means the same', (_name, reporterOf) => {
    for (const text of fc.sample(hostile, 40)) {
      const { written, stream } = printed();
      const reporter = reporterOf({ stdout: stream, stderr: stream });
      const { event, view } = eventOf(text);
      reporter.changed(view, { kind: 'event', event });
      reporter.changed(view, { kind: 'lost', reason: text });
      const [first = ''] = written;
      expect(written.join('')).not.toMatch(CONTROL);
      expect(first.indexOf('\n')).toBe(first.length - 1);
      if (reporterOf === jsonReporter) expect(JSON.parse(first)).toEqual(event);
    }
  });
});
