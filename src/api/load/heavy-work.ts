/** Work that takes long: behind its gate, in turns on the event loop, and given up when the client disconnects. */
import type { FastifyReply } from 'fastify';
import type { Turns } from '../jobs/estimating.js';
import { Gate } from './gate.js';
import type { Limits } from './limits.js';
import { unavailable } from '../problems.js';
import { createTurns } from './event-loop-turns.js';

export type Kind = keyof Limits['gates'];

export interface HeavyWork {
  gates: Readonly<Record<Kind, Gate>>;
  /** Throws a 503 where there is no room. */
  run: <T>(kind: Kind, reply: FastifyReply, work: (turns: Turns) => Promise<T>) => Promise<T>;
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
      const signal = disconnectOf(reply);
      const leave = await gates[kind].enter(signal);
      try {
        await turn();
        signal.throwIfAborted();
        return await work({
          turn,
          throwIfAbandoned: () => {
            signal.throwIfAborted();
          },
        });
      } finally {
        leave();
      }
    },
  };
}

const disconnected = (): Error => unavailable('the client has disconnected');

/** Aborted when the connection closes before it was answered. */
function disconnectOf({ raw, request }: FastifyReply): AbortSignal {
  if (request.raw.socket.destroyed) return AbortSignal.abort(disconnected());
  const closed = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) closed.abort(disconnected());
  });
  return closed.signal;
}
