/**
 * One `text/event-stream` answer on Node's response: headers at once, keep-alive comments, backpressure. It knows nothing of jobs.
 *
 * SSE-1 nothing is queued here: a frame is written, or its writer waits for `onceWritable`.
 * SSE-2 however the stream ends, `closed` fires once and the timer is cleared.
 */
import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';

/** `id` only on frames that a reader may resume from. */
export function frameOf(event: string, data: unknown, id?: number): Buffer {
  const position = id === undefined ? '' : `id: ${String(id)}\n`;
  return Buffer.from(`event: ${event}\n${position}data: ${JSON.stringify(data)}\n\n`);
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

export class EventStream {
  readonly closed: AbortSignal;
  readonly #response: ServerResponse;
  readonly #closing = new AbortController();
  readonly #keepAlive: NodeJS.Timeout;

  constructor(reply: FastifyReply, keepAliveMs: number) {
    this.closed = this.#closing.signal;
    reply.hijack();
    this.#response = reply.raw;
    this.#keepAlive = setInterval(() => {
      this.comment('keep-alive');
    }, keepAliveMs);
    this.#response.on('error', () => undefined); // a reset by the peer; `close` follows
    this.#response.on('close', () => {
      this.#finish();
    });
    if (reply.request.raw.socket.destroyed) {
      this.#finish(); // the reader left before there was an answer, and `close` with it
      return;
    }
    this.#response.writeHead(200, HEADERS);
    this.#response.flushHeaders();
    this.comment('open');
  }

  #finish(): void {
    clearInterval(this.#keepAlive); // SSE-2
    this.#closing.abort();
  }

  /** Calls once; immediately when the stream is closed already. */
  onClosed(call: () => void): void {
    if (this.closed.aborted) call();
    else this.closed.addEventListener('abort', call, { once: true });
  }

  get isWritable(): boolean {
    return !this.closed.aborted && !this.#response.writableNeedDrain;
  }

  write(frames: readonly Buffer[]): void {
    if (this.closed.aborted || frames.length === 0) return;
    // SSE-1 In one write: after `uncork`, `drain` may never come on Node 22, and on 24 no write asks for it.
    this.#response.write(Buffer.concat(frames));
  }

  /** Shows proxies and readers that the stream is alive; left out while the reader is behind. */
  comment(text: string): void {
    if (this.isWritable) this.#response.write(`: ${text}\n\n`);
  }

  /** Calls once, when the reader has taken what was written. */
  onceWritable(call: () => void): void {
    if (this.isWritable) call();
    else this.#response.once('drain', call);
  }

  end(): void {
    clearInterval(this.#keepAlive);
    this.#response.end();
  }

  /** Immediately, without sending what is buffered. */
  drop(): void {
    this.#response.destroy();
  }
}
