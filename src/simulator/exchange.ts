/**
 * Faults as a client meets them: sockets that die, answers that are cut or are not JSON, requests that wait.
 * The only place that touches raw sockets.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Core } from './core.js';
import type { Subject } from './fault-injector.js';
import type { FaultPoint, RequestEffect } from './effects.js';
import type { Answer } from './refusals.js';
import { said } from './record.js';

export const SIMULATOR_HEADER = 'x-replicate-simulator';

export interface Exchange {
  core: Core;
  request: FastifyRequest;
  reply: FastifyReply;
  /** Fires when the client hangs up before it has its answer. */
  gone: AbortSignal;
}

export function exchangeOf(core: Core, request: FastifyRequest, reply: FastifyReply): Exchange {
  const left = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) left.abort();
  });
  return { core, request, reply, gone: left.signal };
}

/** What the client would have been told, for faults that spoil exactly that. */
interface Content {
  status: number;
  body: unknown;
}

/** `over`: the request is dealt with, nothing more may be sent. */
type Struck = { over: false } | { over: true };

/**
 * Carries out every fault that is due at this point, one after another. Holds and delays let the request continue
 * unless its client has gone meanwhile: what the client no longer waits for was never read by the provider.
 */
export async function injectFaults(
  exchange: Exchange,
  at: FaultPoint,
  subject: Subject,
  content: Content,
): Promise<Struck> {
  const done = new Set<string>();
  for (;;) {
    const effect = exchange.core.injector.take(at, subject, done) as RequestEffect | undefined;
    if (effect === undefined) return { over: false };
    done.add(effect.kind);
    if (await carryOut(exchange, effect, subject, content)) return { over: true };
  }
}

/** True when the request is over. */
async function carryOut(
  exchange: Exchange,
  effect: RequestEffect,
  subject: Subject,
  content: Content,
): Promise<boolean> {
  const { core, reply, gone } = exchange;
  switch (effect.kind) {
    case 'answer':
      sendAnswer(exchange, effect.answer);
      return true;
    case 'delay':
      return !(await pause(effect.seconds * 1000, gone));
    case 'hold': {
      const about = {
        point: effect.point,
        model: subject.model,
        caption: subject.text.slice(0, 200),
        prediction_id: subject.prediction_id,
        since: said(core.now(), core.settings),
      };
      return (await core.holds.wait(about, gone)) === 'gone';
    }
    case 'hang':
      // No answer ever: the socket stays open until the client, or the end of the simulator, closes it.
      reply.hijack();
      return true;
    case 'reset':
      reset(exchange);
      return true;
    case 'garble':
      void reply
        .code(content.status)
        .header('content-type', 'application/json')
        .send('{"id": "gm3qor\u0000\u0001 <<garbled');
      return true;
    case 'cut':
      cut(exchange, content.status, 'application/json', Buffer.from(JSON.stringify(content.body)));
      return true;
  }
}

export function sendAnswer({ core, reply }: Exchange, { status, headers, body }: Answer): void {
  core.counters.reject(status);
  void reply.code(status).headers(headers).send(body);
}

/** The connection is reset (RST), as by a proxy that dies. */
function reset({ request, reply }: Exchange): void {
  reply.hijack();
  request.raw.socket.resetAndDestroy();
}

/** Announces everything, sends half, and closes. */
export function cut({ reply }: Exchange, status: number, type: string, body: Uint8Array): void {
  reply.hijack();
  reply.raw.writeHead(status, {
    date: String(reply.getHeader('date')),
    'content-type': type,
    'content-length': body.length,
    [SIMULATOR_HEADER]: 'true',
  });
  reply.raw.write(body.subarray(0, Math.floor(body.length / 2)), () => {
    reply.raw.socket?.end();
    reply.raw.socket?.destroySoon();
  });
}

/** False when the client has gone before the time was over. */
export function pause(milliseconds: number, gone: AbortSignal): Promise<boolean> {
  if (gone.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const leave = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      gone.removeEventListener('abort', leave);
      resolve(true);
    }, milliseconds);
    gone.addEventListener('abort', leave, { once: true });
  });
}
