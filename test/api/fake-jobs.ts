/**
 * Temporal as the API sees it, in memory: jobs are folded from the facts a test tells, workers and the server
 * can be away, and every call is counted. The events are made by the product's own `record`.
 */
import { randomUUID } from 'node:crypto';
import { initialJob } from '../../src/domain/initial-job.js';
import type { Job, JobEvent, JobFact } from '../../src/domain/job.js';
import { record } from '../../src/domain/progress.js';
import { memoOf } from '../../src/domain/visibility.js';
import { TemporalAway, WorkerAway } from '../../src/api/jobs-port.js';
import type {
  Closing,
  Delivered,
  Jobs,
  PendingActivity,
  Run,
  RunningQuery,
  RunStatus,
  Signal,
  StartRequest,
  VisibleRun,
} from '../../src/api/jobs-port.js';
import { resolved } from './plan.js';

const IDENTITY = { run_id: '', created_at: '', simulated: true };

interface FakeRun {
  /** Counted over all runs. */
  place: number;
  run: Run;
  request: StartRequest;
  job: Job;
  events: JobEvent[];
  closing: Closing | null;
}

export class FakeJobs implements Jobs {
  readonly runs = new Map<string, FakeRun[]>();
  readonly signals: { job_id: string; signal: Signal }[] = [];
  readonly calls = { find: 0, events: 0, progress: 0, news: 0, lists: 0, closed: 0 };
  /** Jobs that visibility does not show yet. */
  readonly invisible = new Set<string>();
  /** Has anything told visibility of its jobs? */
  told = true;
  temporal = true;
  worker = true;
  #begun = 0;
  #wake: (() => void)[] = [];

  /** A job with so many clips, started a moment ago. */
  add(jobId: string, clips = 2): void {
    const { plan, resolved: all } = resolved(clips);
    const memo = memoOf(initialJob(all, { job_id: jobId, ...IDENTITY }));
    this.#begin({ job_id: jobId, plan, memo, summary: '', details: '' });
  }

  /** The workflow records a fact. */
  tell(jobId: string, fact: JobFact): JobEvent {
    const latest = this.latest(jobId);
    const { job, event } = record(latest.job, fact, new Date().toISOString());
    latest.job = job;
    latest.events.push(event);
    this.#news();
    return event;
  }

  /** A warning is the smallest event there is. */
  warn(jobId: string, count = 1): void {
    for (let index = 0; index < count; index += 1) {
      this.tell(jobId, { type: 'job.warning', message: `warning ${randomUUID()}` });
    }
  }

  closeRun(jobId: string, status: RunStatus, closing: Closing | null = null): void {
    const latest = this.latest(jobId);
    latest.run = { ...latest.run, status, closed_at: new Date().toISOString(), pending: [] };
    latest.closing = closing;
    this.#news();
  }

  pend(jobId: string, pending: PendingActivity[]): void {
    const latest = this.latest(jobId);
    latest.run = { ...latest.run, pending };
  }

  latest(jobId: string): FakeRun {
    const found = this.runs.get(jobId)?.at(-1);
    if (found === undefined) throw new Error(`no job ${jobId}`);
    return found;
  }

  log(jobId: string): JobEvent[] {
    return (this.runs.get(jobId) ?? []).flatMap(({ events }) => events);
  }

  /** Waiting long-polls end as they do when the server goes away. */
  breakOff(): void {
    this.#news();
  }

  #begin(request: StartRequest): FakeRun {
    const run_id = randomUUID();
    const count = (request.plan as { clip_prompts: unknown[] }).clip_prompts.length;
    const at = new Date().toISOString();
    const identity = { job_id: request.job_id, run_id, created_at: at, simulated: true };
    const fresh = initialJob(resolved(count).resolved, identity);
    const job: Job = request.previous
      ? { ...request.previous, run_id, status: 'queued', error: null, completed_at: null }
      : fresh;
    const begun: FakeRun = {
      place: (this.#begun += 1),
      run: {
        job_id: request.job_id,
        run_id,
        status: 'running',
        started_at: at,
        closed_at: null,
        is_canceling: false,
        pending: [],
      },
      request,
      job,
      events: [],
      closing: null,
    };
    this.runs.set(request.job_id, [...(this.runs.get(request.job_id) ?? []), begun]);
    this.#news();
    return begun;
  }

  #news(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }

  #server(): void {
    if (!this.temporal) throw new TemporalAway('Temporal cannot be reached');
  }

  #query(): void {
    this.#server();
    if (!this.worker) throw new WorkerAway('no worker answered in time');
  }

  #run(jobId: string, runId: string): FakeRun {
    const found = this.runs.get(jobId)?.find(({ run }) => run.run_id === runId);
    if (found === undefined) throw new Error(`no run ${runId}`);
    return found;
  }

  async start(request: StartRequest): Promise<{ run_id: string } | null> {
    this.#server();
    const latest = this.runs.get(request.job_id)?.at(-1);
    if (latest !== undefined && (!request.previous || latest.run.closed_at === null)) return null;
    return { run_id: this.#begin(request).run.run_id };
  }

  async find(jobId: string): Promise<Run | null> {
    this.calls.find += 1;
    this.#server();
    return this.runs.get(jobId)?.at(-1)?.run ?? null;
  }

  async input(jobId: string, runId: string) {
    this.#server();
    const { plan, previous } = this.#run(jobId, runId).request;
    return { plan, previous: previous ?? null };
  }

  async closing(jobId: string, runId: string): Promise<Closing | null> {
    this.#server();
    return this.#run(jobId, runId).closing;
  }

  async progress(jobId: string, runId: string): Promise<Job> {
    this.calls.progress += 1;
    this.#query();
    return this.#run(jobId, runId).job;
  }

  async events(jobId: string, runId: string, after: number) {
    this.calls.events += 1;
    this.#query();
    const { events, job } = this.#run(jobId, runId);
    return { events: events.filter(({ seq }) => seq > after).slice(0, 50), last_seq: job.seq };
  }

  async news(jobId: string, runId: string, token: Uint8Array | null, signal: AbortSignal) {
    this.calls.news += 1;
    this.#server();
    const run = this.#run(jobId, runId);
    const mark = () => `${String(run.events.length)}/${String(run.run.closed_at)}`;
    if (token !== null && Buffer.from(token).toString() === mark()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake.push(wake);
        signal.addEventListener('abort', wake);
      });
      signal.throwIfAborted();
      this.#server();
    }
    return run.run.closed_at === null ? Buffer.from(mark()) : null;
  }

  async signal(jobId: string, signal: Signal): Promise<Delivered> {
    this.#server();
    const latest = this.runs.get(jobId)?.at(-1);
    if (latest === undefined) return 'missing';
    if (latest.run.closed_at !== null) return 'over';
    this.signals.push({ job_id: jobId, signal });
    return 'delivered';
  }

  async cancel(jobId: string): Promise<Delivered> {
    this.#server();
    const latest = this.runs.get(jobId)?.at(-1);
    if (latest === undefined) return 'missing';
    if (latest.run.closed_at !== null) return 'over';
    latest.run = { ...latest.run, is_canceling: true };
    return 'delivered';
  }

  async listRunning({ limit, after }: RunningQuery) {
    this.calls.lists += 1;
    this.#server();
    return this.#visible((run) => run.closed_at === null)
      .filter(({ started_at }) => after === null || started_at <= after.started_at)
      .sort((a, b) => (a.started_at < b.started_at ? 1 : -1))
      .slice(0, limit);
  }

  async runningAmong(jobIds: readonly string[]) {
    this.calls.lists += 1;
    this.#server();
    const running = this.#visible((run) => run.closed_at === null);
    return new Set(running.map(({ job_id }) => job_id).filter((id) => jobIds.includes(id)));
  }

  async listClosed(limit: number, token: Uint8Array | null) {
    this.calls.closed += 1;
    this.#server();
    const start = token === null ? 0 : Number(Buffer.from(token).toString());
    const all = this.#visible((run) => run.closed_at !== null).sort((a, b) =>
      (a.closed_at ?? '') < (b.closed_at ?? '') ? 1 : -1,
    );
    const next = start + limit < all.length ? Buffer.from(String(start + limit)) : null;
    return { runs: all.slice(start, start + limit), next };
  }

  #visible(isMeant: (run: Run) => boolean): VisibleRun[] {
    return [...this.runs.values()]
      .flat()
      .filter(({ run }) => isMeant(run) && !this.invisible.has(run.job_id))
      .map(({ run, job, place }) => ({
        ...run,
        started_at: run.started_at.replace('Z', `${String(place).padStart(6, '0')}Z`),
        memo: () => (this.told ? memoOf(job) : null),
      }));
  }

  async running() {
    this.#server();
    return [...this.runs.values()].filter((runs) => runs.at(-1)?.run.closed_at === null).length;
  }

  async workers() {
    this.#server();
    return { workers: this.worker ? 1 : 0 };
  }
}
