/**
 * HTTP calls to the API: the key, a time-out, bounded bodies, and refusals as ApiError. It knows no routes. A call is
 * repeated in one case alone: the API wants to be asked later (429), and has therefore done nothing.
 */
import { boundedJson } from '../http/bounded-text.js';
import { linkedTo, pause } from './abortable.js';
import { ApiError, reasonOf, refusalOf, unanswered } from './api-error.js';

export interface ClientOptions {
  /** Where the API answers, such as `http://127.0.0.1:3000`; with its path where a proxy serves it below one. */
  baseUrl: string | URL;
  /** One of API_KEYS, where the server has any. It is sent to `baseUrl` and nowhere else. */
  apiKey?: string | null;
  /** Instead of the global `fetch`. */
  fetch?: typeof fetch;
  /** Milliseconds until a call without an answer fails; 30,000 when absent. Files and event streams have no such limit. */
  timeoutMs?: number;
}

export interface Call {
  method: 'GET' | 'POST';
  /** From the root of the API: `/v1/…`. */
  path: string;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  /** Instead of that of the client. */
  timeoutMs?: number;
  /** Statuses besides 2xx that are an answer and no refusal. */
  isAnswer?: (status: number) => boolean;
}

/** What the page and the terminal choose in addition. */
export interface TransportOptions extends ClientOptions {
  /** Of a call, while the API answers that this client asks too often (429); 3 when absent. */
  attempts?: number;
}

export interface Answer<T> {
  status: number;
  value: T;
}

export interface Transport {
  urlOf(path: string): URL;
  /** The answer as soon as its head has come, its body unread; asked for once. Throws an ApiError. */
  open(call: Call): Promise<Response>;
  /** The whole answer, as JSON; asked for again where the API wants that (429). Throws an ApiError. */
  json<T>(call: Call): Promise<Answer<T>>;
}

const TIMEOUT = 30_000;
const USUAL_WAIT = 5_000;

export function createTransport(options: TransportOptions): Transport {
  const send = options.fetch ?? ((...request: Parameters<typeof fetch>) => fetch(...request));
  const base = new URL(options.baseUrl);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  const urlOf = (path: string): URL => {
    const url = new URL(path.replace(/^\/+/, ''), base);
    // The key goes to the API alone, also where a path turns out to be another address.
    if (url.href.startsWith(base.href)) return url;
    throw new TypeError(`expected a path below ${base.href}, got ${path}`);
  };
  const { apiKey: key = null, timeoutMs = TIMEOUT, attempts = 3 } = options;

  const attempt = async (call: Call): Promise<Response> => {
    const { method, path, body, headers, signal } = call;
    const response = await send(urlOf(path).href, {
      method,
      headers: {
        accept: 'application/json',
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok && call.isAnswer?.(response.status) !== true) throw await refusalOf(response);
    return response;
  };

  /** What `fetch` throws, as an ApiError; what the caller's own signal aborted, as its reason. */
  const failed = (error: unknown, { signal }: Call, isLate: boolean): unknown => {
    if (signal?.aborted === true) return signal.reason;
    if (error instanceof ApiError) return error;
    const what = isLate ? 'it did not answer in time' : reasonOf(error);
    return unanswered(`The API at ${base.href} cannot be reached: ${what}`, error);
  };

  const patiently = async <T>({ signal }: Call, attempt: () => Promise<T>): Promise<T> => {
    for (let made = 1; ; made += 1) {
      try {
        return await attempt();
      } catch (error) {
        const isEarly = error instanceof ApiError && error.status === 429;
        if (!isEarly || made >= attempts) throw error;
        await pause(error.retryAfter ?? USUAL_WAIT, signal);
        signal?.throwIfAborted();
      }
    }
  };

  return {
    urlOf,
    open: async (call) => {
      try {
        return await attempt(call);
      } catch (error) {
        throw failed(error, call, false);
      }
    },
    json: <T>(call: Call): Promise<Answer<T>> =>
      patiently(call, async () => {
        const limit = linkedTo(call.signal);
        const timer = setTimeout(() => {
          limit.abort();
        }, call.timeoutMs ?? timeoutMs);
        try {
          const { signal } = limit;
          const response = await attempt({ ...call, signal });
          const value = (await boundedJson(response, { signal })) as T;
          return { status: response.status, value };
        } catch (error) {
          throw failed(error, call, limit.signal.aborted);
        } finally {
          clearTimeout(timer);
          limit.release();
        }
      }),
  };
}
