/**
 * Makes sure that this attempt has a prediction, by the cheapest way that cannot pay twice: attach to the one
 * that is known, find the one that may exist, and only then create one.
 *
 * G1 An attempt creates at most one prediction.
 * W1 Before a create is sent it is written down (adapters/storage/create-log.ts): what was not, was not created, and is not looked for.
 */
import { ApplicationFailure } from '@temporalio/activity';
import type { ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import { FAILURES, INTERRUPTED, noLongerFits } from '../domain/job/failures.js';
import { modelUnavailable } from '../domain/models/life-cycle.js';
import type { Attempt } from './attempt.js';
import { lookFrom, Notes } from './earlier-creates.js';
import type { Begun } from './earlier-creates.js';
import type { Deps } from './deps.js';
import { noteEcho } from './compare-input.js';
import type { Execution } from './execution.js';
import { findLost } from './find-lost.js';
import { newsOf } from './recovered-state.js';
import type { Memory } from './recovered-state.js';
import { serverClock } from './server-clock.js';

export interface Started {
  id: string;
  /** As last read; null when only the id is known. */
  known: ProviderPrediction | null;
  adopted: boolean;
}

/** Creates that may be unclear within one attempt before it is given up. */
const MAX_UNCLEAR = 2;
/** Seconds by which the provider's own deadline outlives ours, so that ours comes first. */
const CANCEL_SLACK = 30;

/** Null when the execution was interrupted first. */
export async function ensurePrediction(
  deps: Deps,
  attempt: Attempt,
  memory: Memory,
): Promise<Started | null> {
  if (memory.open !== null) return { id: memory.open, known: null, adopted: memory.adopted };
  // Cut off before the workflow answered, it does not know what its clip has: it would take an earlier attempt for a lost one.
  if (attempt.execution.interruption !== null) return null;
  const notes = new Notes(deps, attempt);
  let begun = await notes.recall(memory);
  if (begun.attach === null && (begun.open.length > 0 || (memory.unclear && !begun.isAll))) {
    const lost = await findBegun(deps, { attempt, memory, notes }, begun);
    if (lost !== null || attempt.execution.interruption !== null) return lost;
    // Its answer may have come after all.
    begun = await notes.recall(memory);
  }
  if (begun.attach !== null) return { id: begun.attach, known: null, adopted: true };
  if (!memory.granted) throw await refused(attempt, memory);
  return create(deps, { attempt, memory, notes }, begun.next);
}

interface Asking {
  attempt: Attempt;
  memory: Memory;
  notes: Notes;
}

/** What was begun and never answered, or what nobody has written down. */
async function findBegun(deps: Deps, asking: Asking, begun: Begun): Promise<Started | null> {
  const { attempt, memory, notes } = asking;
  const lost = await find(deps, attempt, memory, lookFrom(begun, attempt.input.since));
  if (lost === null && attempt.execution.interruption !== null) return null;
  for (const { number } of begun.open) await notes.answer(number, lost?.id ?? null);
  return lost;
}

/** `number`: of the next create of the clip, over all its attempts and rounds. */
async function create(deps: Deps, asking: Asking, number: number): Promise<Started | null> {
  const { attempt, memory, notes } = asking;
  const { execution, input } = attempt;
  // Without this word a reset, which counts from one again, makes an execution that dies in its create look like one
  // that never began. A first one keeps silent, for its first heartbeat is to carry the prediction's id.
  if (!execution.isFirst) execution.beat({ phase: 'creating' });
  for (
    let next = number,
      unclear = 0,
      told = false,
      waited = (await outwait(execution, memory)) || memory.unclear;
    execution.interruption === null;
    waited = true
  ) {
    // Whoever waited may have been taken for dead: another execution may have gone on meanwhile.
    const news = waited ? await newsOf(attempt) : null;
    if (news?.isOver) throw wentOn();
    if (news?.open) return { id: news.open, known: null, adopted: news.adopted };
    if (news?.granted === false) throw await refused(attempt, memory);
    // W1
    if (!(await notes.begin(next))) throw wentOn();
    // The last look before money is spent: a disk, too, may have made us wait for too long.
    if (execution.interruption !== null) {
      await notes.withdraw(next);
      break;
    }
    // Never aborted: an answer thrown away may be a prediction paid for.
    const outcome = await deps.replicate.create({
      model: input.model,
      version: input.version,
      input: input.input,
      cancel_after: (attempt.deadline - serverClock.now()) / 1000 + CANCEL_SLACK,
      webhook: deps.webhook_url,
    });
    switch (outcome.type) {
      case 'created': {
        const { prediction } = outcome;
        noteEcho(execution.context.log, input, prediction, deps);
        // Where it cannot be written now, no twin can have written either.
        if (await deps.claims.claim(prediction.id, attempt.owner).catch(() => true)) {
          await notes.answer(next, prediction.id);
          return { id: prediction.id, known: prediction, adopted: false };
        }
        // Before this answer came, a twin that had lost its own found ours in the list: then the twin's is ours.
        const left = await findAnswer(deps, asking, next);
        if (left !== null || execution.interruption !== null) return left;
        next += 1;
        break;
      }
      case 'rejected': {
        const { kind, is_model_gone } = outcome;
        await notes.withdraw(next);
        const message = is_model_gone
          ? modelUnavailable(input.model, deps.plan.catalogue, outcome.message)
          : outcome.message;
        throw await attempt.over({ kind, retry: FAILURES[kind].retry }, message, null);
      }
      case 'throttled': {
        // Back-pressure, not failure: waited out inside the attempt.
        const { seconds, message } = outcome;
        await notes.withdraw(next);
        const until = serverClock.in(seconds * 1000);
        execution.beat({ phase: 'waiting', until, message });
        if (!told) await attempt.tellRateLimited(seconds, message);
        told = true;
        await execution.wait(seconds * 1000);
        break;
      }
      case 'unclear': {
        const lost = await findAnswer(deps, asking, next);
        if (lost !== null || execution.interruption !== null) return lost;
        next += 1;
        if (++unclear >= MAX_UNCLEAR) {
          throw await attempt.over({ kind: 'provider_error', retry: true }, outcome.message, null);
        }
      }
    }
  }
  return null;
}

const wentOn = (): ApplicationFailure =>
  ApplicationFailure.retryable('another went on', INTERRUPTED);

/** At most; the longest that any provider is likely to ask for. */
const LONGEST_WAIT = 90_000;

/** A restarted server, or a crash in the middle of a failure, starts an execution before its backoff is over. */
async function outwait(
  execution: Execution,
  { next_attempt_at, last_error }: Memory,
): Promise<boolean> {
  const early = next_attempt_at === null ? 0 : Date.parse(next_attempt_at) - serverClock.now();
  if (early <= 0) return false;
  execution.beat({
    phase: 'waiting',
    until: next_attempt_at,
    message: last_error?.message ?? null,
  });
  await execution.wait(Math.min(early, LONGEST_WAIT));
  return true;
}

const refused = (attempt: Attempt, { last_error }: Memory): Promise<ApplicationFailure> =>
  attempt.over({ kind: 'over_budget', retry: false }, noLongerFits(last_error), null);

/** The one of this create, or of a twin that has taken it; else nothing was created. */
async function findAnswer(deps: Deps, asking: Asking, number: number): Promise<Started | null> {
  const { attempt, memory, notes } = asking;
  const lost = await find(deps, attempt, memory, attempt.input.since);
  if (lost !== null || attempt.execution.interruption === null) {
    await notes.answer(number, lost?.id ?? null);
  }
  return lost;
}

async function find(
  deps: Deps,
  attempt: Attempt,
  memory: Memory,
  since: string,
): Promise<Started | null> {
  const lost = await findLost(deps, attempt.execution, {
    ...attempt.input,
    since,
    owner: attempt.owner,
    exclude: memory.known,
  });
  return lost === null ? null : { id: lost.id, known: lost, adopted: true };
}
