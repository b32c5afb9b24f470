/** A call that the API refused, or that never got an answer: one class, told apart by `status`. */
import { boundedText } from '../http/bounded-text.js';
import type { HttpProblem, PlanProblem } from './wire.js';

/** Bytes of a refusal that are read. */
const MAX_REFUSAL = 2 ** 20;
/** Milliseconds; an API that wants to be asked later than this is asked then. */
const MAX_WAIT = 60_000;

export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when no answer came: nothing listens there, the connection broke, or the time was up. */
  readonly status: number;
  /** What the API said, as RFC 9457 has it. `errors` lists every mistake of a plan with its path. */
  readonly problem: HttpProblem;
  /** Milliseconds after which the API wants to be asked again; null where it did not say. */
  readonly retryAfter: number | null;

  constructor(problem: HttpProblem, more: { retryAfter?: number | null; cause?: unknown } = {}) {
    super(problem.detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.status = problem.status;
    this.problem = problem;
    this.retryAfter = more.retryAfter ?? null;
  }

  /** Would the same call get the same refusal? Of a 429, a 5xx and an answer that never came, no. */
  get isFinal(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 429;
  }
}

/** The API's own words where it answered with a problem, else its status line. */
export async function refusalOf(response: Response): Promise<ApiError> {
  const text = await boundedText(response, { most: MAX_REFUSAL }).catch(() => '');
  const body = parsedObject(text);
  const word = (name: string): string | null =>
    typeof body[name] === 'string' ? body[name] : null;
  const line = `HTTP ${String(response.status)} ${response.statusText}`.trim();
  const problem = {
    type: word('type') ?? 'about:blank',
    title: word('title') ?? line,
    status: response.status,
    detail: word('detail') ?? word('title') ?? line,
    errors: Array.isArray(body['errors']) ? body['errors'].filter(isPlanProblem) : [],
  };
  return new ApiError(problem, { retryAfter: waitOf(response.headers.get('retry-after')) });
}

/** Of a call without an answer. */
export function unanswered(detail: string, cause: unknown): ApiError {
  const title = 'No answer';
  return new ApiError({ type: 'about:blank', title, status: 0, detail, errors: [] }, { cause });
}

/** What went wrong, in words: `fetch` hides the reason in `cause`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== ''
    ? error.cause.message
    : error.message;
}

function waitOf(header: string | null): number | null {
  const seconds = Number(header ?? NaN);
  return seconds >= 0 ? Math.min(seconds * 1000, MAX_WAIT) : null;
}

function parsedObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

const isPlanProblem = (value: unknown): value is PlanProblem => {
  const { path, message } = Object(value) as { path?: unknown; message?: unknown };
  return typeof path === 'string' && typeof message === 'string';
};
