/**
 * SIGINT, SIGTERM and SIGHUP for a command that follows a job. Ctrl-C on a terminal asks first; everything else,
 * and a second Ctrl-C, means: leave. npm passes on a signal that its child got already, so two in a moment are one.
 */

export const SIGNAL_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type LeaveSignal = keyof typeof SIGNAL_CODES;

export type Answer = 'leave' | 'stay';

export interface Interruption {
  /** Aborted when the command shall leave. */
  readonly signal: AbortSignal;
  /** Why; null while it shall not. */
  readonly cause: () => LeaveSignal | null;
  /** From now on Ctrl-C asks this; null = it leaves. A question that is open is taken back by its signal. */
  ask(question: ((signal: AbortSignal) => Promise<Answer>) | null): void;
  leave(cause: LeaveSignal): void;
  close(): void;
}

/** Less than a person needs to press a key twice. */
const SAME_KEY = 400;

export function listenForSignals(
  source: Pick<NodeJS.Process, 'on' | 'off'> = process,
  now: () => number = Date.now,
): Interruption {
  const leaving = new AbortController();
  let cause: LeaveSignal | null = null;
  let question: ((signal: AbortSignal) => Promise<Answer>) | null = null;
  let asked: { at: number; take_back: AbortController } | null = null;

  const leave = (why: LeaveSignal): void => {
    cause ??= why;
    asked?.take_back.abort();
    leaving.abort();
  };
  const onSigint = (): void => {
    if (question === null || leaving.signal.aborted) {
      leave('SIGINT');
      return;
    }
    if (asked !== null) {
      if (now() - asked.at > SAME_KEY) leave('SIGINT');
      return;
    }
    const current = { at: now(), take_back: new AbortController() };
    asked = current;
    void question(current.take_back.signal)
      .catch((): Answer => 'leave')
      .then((answer) => {
        asked = null;
        if (answer === 'leave') leave('SIGINT');
      });
  };
  const handlers = {
    SIGINT: onSigint,
    SIGTERM: () => {
      leave('SIGTERM');
    },
    SIGHUP: () => {
      leave('SIGHUP');
    },
  };
  for (const [name, handler] of Object.entries(handlers))
    source.on(name as NodeJS.Signals, handler);
  return {
    signal: leaving.signal,
    cause: () => cause,
    ask(next) {
      question = next;
      asked?.take_back.abort();
    },
    leave,
    close() {
      for (const [name, handler] of Object.entries(handlers)) {
        source.off(name, handler);
      }
    },
  };
}
