import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { listenForSignals } from '../../src/terminal/interruption.js';
import type { Answer } from '../../src/terminal/interruption.js';

function setUp() {
  const source = new EventEmitter();
  const clock = { now: 0 };
  const interruption = listenForSignals(source as unknown as NodeJS.Process, () => clock.now);
  return { source, clock, interruption };
}

/** A question that is answered by the test. */
function question() {
  let answer: (answer: Answer) => void = () => undefined;
  const asked: AbortSignal[] = [];
  return {
    asked,
    answer: (text: Answer) => {
      answer(text);
    },
    ask: (signal: AbortSignal): Promise<Answer> => {
      asked.push(signal);
      return new Promise((resolve) => {
        answer = resolve;
        signal.addEventListener('abort', () => {
          resolve('stay');
        });
      });
    },
  };
}

describe('a signal', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s leaves where no question can be asked',
    (name) => {
      const { source, interruption } = setUp();
      source.emit(name);
      source.emit(name);
      expect(interruption.signal.aborted).toBe(true);
      expect(interruption.cause()).toBe(name);
    },
  );

  it('by Ctrl-C asks first, and leaves when the answer is to leave', async () => {
    const { source, interruption } = setUp();
    const { ask, asked, answer } = question();
    interruption.ask(ask);
    source.emit('SIGINT');
    expect(asked).toHaveLength(1);
    expect(interruption.signal.aborted).toBe(false);
    answer('leave');
    await once(interruption.signal, 'abort');
    expect(interruption.cause()).toBe('SIGINT');
  });

  it('may be asked about again after the answer was to stay', async () => {
    const { source, interruption } = setUp();
    const { ask, asked, answer } = question();
    interruption.ask(ask);
    source.emit('SIGINT');
    answer('stay');
    await new Promise(setImmediate);
    source.emit('SIGINT');
    expect(asked).toHaveLength(2);
    expect(interruption.signal.aborted).toBe(false);
  });

  it('that comes twice in a moment is one key press; a second press leaves at once', () => {
    const { source, clock, interruption } = setUp();
    const { ask, asked } = question();
    interruption.ask(ask);
    source.emit('SIGINT');
    source.emit('SIGINT');
    expect(interruption.signal.aborted).toBe(false);
    clock.now = 1_000;
    source.emit('SIGINT');
    expect(interruption.signal.aborted).toBe(true);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.aborted).toBe(true);
  });

  it('SIGTERM does not wait for an answer', () => {
    const { source, interruption } = setUp();
    interruption.ask(question().ask);
    source.emit('SIGINT');
    source.emit('SIGTERM');
    expect(interruption.cause()).toBe('SIGTERM');
  });

  it('finds no question open once there is nothing left to ask about', async () => {
    const { source, interruption } = setUp();
    const { ask, asked } = question();
    interruption.ask(ask);
    source.emit('SIGINT');
    interruption.ask(null);
    await new Promise(setImmediate);
    expect(asked[0]?.aborted).toBe(true);
    expect(interruption.signal.aborted).toBe(false);
  });

  it('is left to Node after close', () => {
    const { source, interruption } = setUp();
    interruption.close();
    expect(source.eventNames().flatMap((name) => source.listeners(name))).toEqual([]);
  });
});
