/**
 * A scripted API for the page's own tests: jobs are made of the real domain (`initialJob`, `record`),
 * streams are real sockets, and a test says what happens when. It notes every request it gets.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beginningsOf, matching, textOf } from '../../src/domain/job/job-summary.js';
import type { Job, JobEvent, JobFact } from '../../src/domain/job/job.schema.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import { isOver, record } from '../../src/domain/job/progress.js';
import { servePage } from './serve-page.js';

interface Noted {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: unknown;
}

type Reply = { status: number; body: unknown };
type Respond = (request: Noted) => Reply | null;

interface Entry {
  job: Job;
  log: JobEvent[];
  streams: Set<ServerResponse>;
}

const NOT_FOUND: Reply = { status: 404, body: { title: 'Not found', detail: 'No such thing.' } };

/** What opens a job's files while the mock wants a key. */
const tokenOf = (jobId: string): string => `token-of-${jobId}`;

export class MockApi {
  readonly requests: Noted[] = [];
  /** Every address asked for, with its query. */
  readonly urls: string[] = [];
  readonly files = new Map<string, { type: string; bytes: Buffer }>();
  /** Answers of the test's own making, by path: slow, cut short, or none at all. */
  readonly raw = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
  readiness: Record<string, unknown> = {
    ready: true,
    temporal: true,
    workers: 1,
    simulated: false,
  };
  key: string | null = null;
  /** Asked first; null leaves the request to the routes below. */
  respond: Respond = () => null;
  readonly #page: string;
  readonly #jobs = new Map<string, Entry>();
  #server: Server | null = null;
  #port = 0;

  constructor(page: string) {
    this.#page = page;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  /** As a killed process: every connection is cut; `start` comes back on the same port. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
    for (const entry of this.#jobs.values()) entry.streams.clear();
  }

  add(job: Job): void {
    this.#jobs.set(job.job_id, { job, log: [], streams: new Set() });
  }

  job(jobId: string): Job {
    return this.#entry(jobId).job;
  }

  /** Records a fact and sends it to all listeners. */
  emit(jobId: string, fact: JobFact, at = new Date().toISOString()): JobEvent {
    const entry = this.#entry(jobId);
    const { job, event } = record(entry.job, fact, at);
    entry.job = job;
    entry.log.push(event);
    for (const stream of entry.streams) {
      sendEvent(stream, event);
      if (isOver(job.status)) stream.end();
    }
    return event;
  }

  /** A frame that is not in the log; `id`: as durable events have it. */
  frame(jobId: string, name: string, data: object, id?: number): void {
    const position = id === undefined ? '' : `id: ${String(id)}\n`;
    for (const stream of this.#entry(jobId).streams) {
      stream.write(`event: ${name}\n${position}data: ${JSON.stringify(data)}\n\n`);
    }
  }

  listeners(jobId: string): number {
    return this.#entry(jobId).streams.size;
  }

  asked(method: string, path: string): Noted[] {
    return this.requests.filter((noted) => noted.method === method && noted.path === path);
  }

  #entry(jobId: string): Entry {
    const entry = this.#jobs.get(jobId);
    if (entry === undefined) throw new Error(`The mock has no job ${jobId}`);
    return entry;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    this.urls.push(url.href);
    const noted: Noted = {
      method: request.method ?? 'GET',
      path: url.pathname,
      headers: request.headers,
      body: await readBody(request),
    };
    this.requests.push(noted);
    if (!url.pathname.startsWith('/v1/') && url.pathname !== '/readyz') {
      await servePage(this.#page, url.pathname, response);
      return;
    }
    if (!this.#allowed(noted, url)) {
      reply(response, { status: 401, body: { title: 'Unauthorized', detail: 'A key is needed.' } });
      return;
    }
    const raw = this.raw.get(url.pathname);
    const scripted = this.respond(noted);
    if (raw !== undefined) raw(request, response);
    else if (scripted !== null) reply(response, scripted);
    else this.#route(noted, url, request, response);
  }

  #allowed({ method, path, headers }: Noted, url: URL): boolean {
    if (this.key === null || !path.startsWith('/v1/')) return true;
    const [, , , jobId = ''] = path.split('/');
    const token = method === 'GET' ? url.searchParams.get('token') : null;
    return headers.authorization === `Bearer ${this.key}` || token === tokenOf(jobId);
  }

  #route(noted: Noted, url: URL, request: IncomingMessage, response: ServerResponse): void {
    const [, , , jobId, part] = url.pathname.split('/');
    const file = this.files.get(url.pathname);
    const entry = this.#jobs.get(decodeURIComponent(jobId ?? ''));
    if (url.pathname === '/readyz') {
      reply(response, {
        status: this.readiness['ready'] === true ? 200 : 503,
        body: { api: 'durable-clip-generator', ...this.readiness },
      });
    } else if (file !== undefined) {
      response.writeHead(200, { 'content-type': file.type, 'content-length': file.bytes.length });
      response.end(file.bytes);
    } else if (url.pathname === '/v1/models') {
      reply(response, {
        status: 200,
        body: { models: [...CATALOGUE.values()] },
      });
    } else if (url.pathname === '/v1/jobs' && noted.method === 'GET') {
      reply(response, { status: 200, body: { jobs: this.#list(url), next_cursor: null } });
    } else if (entry === undefined) reply(response, NOT_FOUND);
    else if (part === 'token') {
      const expires_at = new Date(Date.now() + 15 * 60_000).toISOString();
      reply(response, { status: 200, body: { token: tokenOf(jobId ?? ''), expires_at } });
    } else if (part === 'events') this.#stream(entry, request, response);
    else reply(response, { status: noted.method === 'POST' ? 202 : 200, body: entry.job });
  }

  #list(url: URL): Job[] {
    const asked = (name: string) => url.searchParams.get(name);
    const status = asked('status') as Job['status'] | null;
    const filter = { status, model: asked('model'), label: asked('label'), q: asked('q') };
    const matches = matching(filter);
    const jobs = [...this.#jobs.values()].map(({ job }) => job).reverse();
    return jobs.filter((job) => matches(job, textOf(job, beginningsOf(job.clips))));
  }

  #stream(entry: Entry, request: IncomingMessage, response: ServerResponse): void {
    const position = request.headers['last-event-id'];
    const after = Number(position ?? entry.job.seq);
    if (isOver(entry.job.status) && position !== undefined && after === entry.job.seq) {
      response.writeHead(204).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    if (position === undefined) {
      response.write(`event: snapshot\ndata: ${JSON.stringify(entry.job)}\n\n`);
    }
    for (const event of entry.log) if (event.seq > after) sendEvent(response, event);
    if (isOver(entry.job.status) || request.url?.endsWith('follow=false') === true) {
      response.end();
      return;
    }
    entry.streams.add(response);
    response.on('close', () => entry.streams.delete(response));
  }
}

const sendEvent = (stream: ServerResponse, event: JobEvent): void => {
  stream.write(
    `event: ${event.type}\nid: ${String(event.seq)}\ndata: ${JSON.stringify(event)}\n\n`,
  );
};

function reply(response: ServerResponse, { status, body }: Reply): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? null : (JSON.parse(text) as unknown);
}
