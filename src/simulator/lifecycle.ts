/**
 * What a prediction is at a moment: a pure function of when it was created, its plan, when somebody
 * wanted it stopped, and now. It owns the six statuses and refuses every timer, so a simulator that was
 * killed knows after its restart what happened while it was away. Moments are milliseconds since 1970.
 *
 * LIFECYCLE-1 a prediction that ended never changes again.
 * LIFECYCLE-2 what is stopped before it started is `aborted` and never ran; what is stopped while running is `canceled`.
 */

/** What will happen to a prediction if no request interferes; decided once, when it is accepted. */
export interface RunPlan {
  /** Milliseconds in the queue; null: it never starts. */
  queue: number | null;
  /** Milliseconds of running; null: it never ends. */
  run: number | null;
  /** It stays in this phase until a control call releases it. */
  hold: 'starting' | 'processing' | null;
  outcome: Outcome;
  /** The platform stops a run that lasts longer, in milliseconds. */
  run_limit: number;
}

export type Outcome =
  { status: 'succeeded' } | { status: 'failed'; error: string | null } | { status: 'aborted' };

/** The facts that lifecycle follows from. */
export interface Course {
  created_at: number;
  plan: RunPlan;
  /** From the header Cancel-After. */
  deadline: number | null;
  cancel_at: number | null;
  released_at: number | null;
}

export type State =
  | { status: 'starting' }
  | { status: 'processing'; started_at: number }
  | { status: 'succeeded' | 'canceled'; started_at: number; ended_at: number }
  | { status: 'failed'; started_at: number; ended_at: number; error: string | null }
  | { status: 'aborted'; ended_at: number };

export type EndedState = Extract<State, { ended_at: number }>;

export const isEnded = (state: State): state is EndedState => 'ended_at' in state;

export function stateAt(course: Course, now: number): State {
  const start = startOf(course);
  const finish = course.plan.outcome.status === 'aborted' ? start : finishOf(course, start);
  const stop = stopOf(course, start);
  if (stop < finish && stop <= now) {
    return stop < start
      ? { status: 'aborted', ended_at: stop }
      : { status: 'canceled', started_at: start, ended_at: stop };
  }
  if (finish <= now) return outcomeOf(course.plan.outcome, start, finish);
  return start <= now ? { status: 'processing', started_at: start } : { status: 'starting' };
}

/** The next moment at which the state changes by itself, or null when only a call can change it. */
export function nextChange(course: Course, now: number): number | null {
  const start = startOf(course);
  const end = Math.min(finishOf(course, start), stopOf(course, start));
  const next = [start, end].filter((moment) => moment > now && moment !== Infinity);
  return isEnded(stateAt(course, now)) || next.length === 0 ? null : Math.min(...next);
}

/** From 0 to 1: how far the rendering is. */
export function renderedShare(course: Course, now: number): number {
  const state = stateAt(course, now);
  if (state.status === 'succeeded') return 1;
  if (!('started_at' in state)) return 0;
  const until = 'ended_at' in state ? state.ended_at : now;
  const run = course.plan.run ?? course.plan.run_limit;
  return run === 0 ? 0 : Math.min(0.99, (until - state.started_at) / run);
}

function startOf({ created_at, plan, released_at }: Course): number {
  if (plan.hold === 'starting') return released_at ?? Infinity;
  return plan.queue === null ? Infinity : created_at + plan.queue;
}

function finishOf({ plan, released_at }: Course, start: number): number {
  if (plan.hold === 'processing') {
    return released_at === null ? Infinity : Math.max(start, released_at);
  }
  return plan.run === null ? Infinity : start + plan.run;
}

const stopOf = ({ plan, deadline, cancel_at }: Course, start: number): number =>
  Math.min(deadline ?? Infinity, cancel_at ?? Infinity, start + plan.run_limit);

function outcomeOf(outcome: Outcome, started_at: number, ended_at: number): State {
  switch (outcome.status) {
    case 'aborted':
      return { status: 'aborted', ended_at };
    case 'failed':
      return { status: 'failed', started_at, ended_at, error: outcome.error };
    case 'succeeded':
      return { status: 'succeeded', started_at, ended_at };
  }
}
