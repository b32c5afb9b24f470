/** Work that takes long: behind its gate, in turns on the event loop, and ended when the asker leaves. */
import type { FastifyReply } from 'fastify';
import type { InTurns } from '../jobs/estimating.js';
import { Gate } from './gate.js';
import type { Limits } from './limits.js';
import { unavailable } from '../problems.js';
import { createTurns } from './event-loop-turns.js';

export type Kind = keyof Limits['gates'];

export interface HeavyWork {
  gates: Readonly<Record<Kind, Gate>>;
  /** Throws a 503 where there is no room. */
  run: <T>(kind: Kind, reply: FastifyReply, work: (inTurns: InTurns) => Promise<T>) => Promise<T>;
}

export function createHeavyWork({ gates: limits, wait_ms }: Limits): HeavyWork {
  const gates = {
    plans: new Gate(limits.plans, wait_ms),
    lists: new Gate(limits.lists, wait_ms),
    jobs: new Gate(limits.jobs, wait_ms),
  };
  const turn = createTurns();
  return {
    gates,
    run: async (kind, reply, work) => {
      const signal = leaving(reply);
      const leave = await gates[kind].enter(signal);
      try {
        await turn();
        signal.throwIfAborted();
        return await work({
          turn,
          stillWanted: () => {
            signal.throwIfAborted();
          },
        });
      } finally {
        leave();
      }
    },
  };
}

const gone = (): Error => unavailable('the asker has left');

/** Aborted when the connection closes before it was answered. */
function leaving({ raw, request }: FastifyReply): AbortSignal {
  if (request.raw.socket.destroyed) return AbortSignal.abort(gone());
  const left = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) left.abort(gone());
  });
  return left.signal;
}
