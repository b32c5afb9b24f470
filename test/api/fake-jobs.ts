/**
 * Temporal as the API sees it, in memory: jobs are folded from the facts a test tells, workers and the server
 * can be away, and every call is counted. The events are made by the product's own `record`.
 */
import { randomUUID } from 'node:crypto';
import { initialJob } from '../../src/domain/job/initial-job.js';
import type { Clip, Job, JobEvent, JobFact } from '../../src/domain/job/job.schema.js';
import { record } from '../../src/domain/job/progress.js';
import { seeded } from '../../src/domain/plan/quality.js';
import { memoOf } from '../../src/domain/job/visibility.js';
import { TemporalAway, WorkerAway } from '../../src/api/jobs/jobs-port.js';
import type {
  RunEnd,
  Delivered,
  Jobs,
  PendingActivity,
  Run,
  RunningQuery,
  RunStatus,
  Signal,
  StartRequest,
  VisibleRun,
} from '../../src/api/jobs/jobs-port.js';
import { CONTEXT, accepted } from '../support/checked-plans.js';
import { planWith } from '../support/plans.js';
import { checkPlan } from '../../src/domain/plan/check-plan.schema.js';

const IDENTITY = { run_id: '', created_at: '', simulated: true };

interface FakeRun {
  /** Counted over all runs. */
  place: number;
  run: Run;
  request: StartRequest;
  /** The job of the run that it took over from. */
  carried: Job | null;
  job: Job;
  events: JobEvent[];
  closing: RunEnd | null;
}

export class FakeJobs implements Jobs {
  readonly runs = new Map<string, FakeRun[]>();
  readonly signals: { job_id: string; signal: Signal }[] = [];
  readonly calls = {
    find: 0,
    events: 0,
    progress: 0,
    clips: 0,
    news: 0,
    renderWorkers: 0,
    lists: 0,
    closed: 0,
  };
  /** Long polls that wait now, and the most there were at once. */
  readonly polls = { now: 0, most: 0 };
  /** Jobs that visibility does not show yet. */
  readonly invisible = new Set<string>();
  /** Has anything told visibility of its jobs? */
  told = true;
  temporal = true;
  worker = true;
  /** Workers that take clips to render; null: Temporal cannot tell. */
  rendering: number | null = 1;
  /** Answers leave out what makes a job large, and clips come in pages of so many. */
  clipsAPage: number | null = null;
  /** Called after each page of clips. */
  afterPage: () => void = () => undefined;
  #begun = 0;
  #wake: (() => void)[] = [];

  /** A job with so many clips, started a moment ago. */
  add(jobId: string, clips = 2): void {
    const { plan, resolved: all } = accepted(planWith(clips));
    const memo = memoOf(initialJob(all, { job_id: jobId, ...IDENTITY }));
    this.#begin({ job_id: jobId, plan, memo, summary: '', details: '' });
  }

  /** The workflow records a fact. */
  tell(jobId: string, fact: JobFact): JobEvent {
    const latest = this.latest(jobId);
    const { job, event } = record(latest.job, fact, new Date().toISOString());
    latest.job = job;
    latest.events.push(event);
    this.#waitForHistory();
    return event;
  }

  /** A clip begins to render. */
  run(jobId: string, clipIndex = 0): void {
    const clip = this.latest(jobId).job.clips[clipIndex];
    if (clip === undefined) throw new Error(`no clip ${String(clipIndex)}`);
    const running: Clip = { ...clip, status: 'running', attempt: 1 };
    this.tell(jobId, { type: 'clip.submitted', clip_index: clipIndex, clip: running });
  }

  /** A warning is the smallest event there is. */
  warn(jobId: string, count = 1): void {
    for (let index = 0; index < count; index += 1) {
      this.tell(jobId, { type: 'job.warning', message: `warning ${randomUUID()}` });
    }
  }

  closeRun(jobId: string, status: RunStatus, closing: RunEnd | null = null): void {
    const latest = this.latest(jobId);
    latest.run = { ...latest.run, status, closed_at: new Date().toISOString(), pending: [] };
    latest.closing = closing;
    this.#waitForHistory();
  }

  /** The run has become long: another takes over, in the middle of everything, and no event tells. */
  continueRun(jobId: string): void {
    const before = this.latest(jobId);
    before.run = { ...before.run, closed_at: new Date().toISOString(), pending: [] };
    this.#begin(before.request, before.job);
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
    this.#waitForHistory();
  }

  #begin(request: StartRequest, carried: Job | null = null): FakeRun {
    const run_id = randomUUID();
    const count = (request.plan as { clip_prompts: unknown[] }).clip_prompts.length;
    const at = new Date().toISOString();
    const identity = { job_id: request.job_id, run_id, created_at: at, simulated: true };
    const { labels } = request.plan as { labels?: string[] | null };
    const checked = checkPlan(request.plan, CONTEXT);
    const planned = checked.ok
      ? seeded(checked.resolved, request.job_id)
      : accepted(planWith(count)).resolved;
    const fresh = { ...initialJob(planned, identity), labels: labels ?? [] };
    const again: Job | null = request.previous
      ? { ...request.previous, run_id, status: 'queued', error: null, completed_at: null }
      : null;
    const job: Job = carried ? { ...carried, run_id } : (again ?? fresh);
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
      carried,
      job,
      events: [],
      closing: null,
    };
    this.runs.set(request.job_id, [...(this.runs.get(request.job_id) ?? []), begun]);
    this.#waitForHistory();
    return begun;
  }

  #waitForHistory(): void {
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
    const { request, carried } = this.#run(jobId, runId);
    return { plan: request.plan, previous: request.previous ?? null, carried };
  }

  async runEnd(jobId: string, runId: string): Promise<RunEnd | null> {
    this.#server();
    return this.#run(jobId, runId).closing;
  }

  async progress(jobId: string, runId: string): Promise<Job> {
    this.calls.progress += 1;
    this.#query();
    const { job } = this.#run(jobId, runId);
    return this.clipsAPage === null ? job : truncated(job);
  }

  async clips(jobId: string, runId: string, from: number) {
    this.calls.clips += 1;
    this.#query();
    const { job } = this.#run(jobId, runId);
    const next = from + (this.clipsAPage ?? job.clips.length);
    const page = {
      seq: job.seq,
      clips: job.clips.slice(from, next),
      next: next < job.clips.length ? next : null,
    };
    this.afterPage();
    return page;
  }

  async events(jobId: string, runId: string, after: number) {
    this.calls.events += 1;
    this.#query();
    const { events, job } = this.#run(jobId, runId);
    return { events: events.filter(({ seq }) => seq > after).slice(0, 50), last_seq: job.seq };
  }

  async waitForHistory(
    jobId: string,
    runId: string,
    token: Uint8Array | null,
    signal: AbortSignal,
  ) {
    this.calls.news += 1;
    this.#server();
    const run = this.#run(jobId, runId);
    const mark = () => `${String(run.events.length)}/${String(run.run.closed_at)}`;
    if (token !== null && Buffer.from(token).toString() === mark()) {
      this.polls.most = Math.max(this.polls.most, (this.polls.now += 1));
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake.push(wake);
        signal.addEventListener('abort', wake);
      });
      this.polls.now -= 1;
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

  async renderWorkers() {
    this.calls.renderWorkers += 1;
    this.#server();
    if (this.rendering === null) throw new TemporalAway('Temporal is too busy');
    return this.rendering;
  }

  async workers() {
    this.#server();
    return { workers: this.worker ? 1 : 0 };
  }
}

/** As an answer of the workflow is that would have become too large. */
const truncated = (job: Job): Job => ({
  ...job,
  truncated: { prompts: job.clips.length, predictions: 1 },
  clips: job.clips.map((clip): Clip => ({ ...clip, prompt: '…', metadata: {}, predictions: [] })),
});
