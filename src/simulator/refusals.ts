/**
 * Every refusal the simulator can give, word for word as Replicate has been seen to give it. A refusal is
 * data (`Answer`); who sends it decides when.
 */

export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** Already in the form that goes over the wire. */
  body: string;
}

export interface InvalidField {
  type: string;
  field: string;
  description: string;
}

const answer = (status: number, body: object, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: JSON.stringify(body),
});

const html = (status: number, title: string): Answer => ({
  status,
  headers: { 'content-type': 'text/html; charset=UTF-8' },
  body: `<html>\r\n<head><title>${String(status)} ${title}</title></head>\r\n<body>\r\n<center><h1>${String(status)} ${title}</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n`,
});

const throttled = (seconds: number, limit = ''): string =>
  `Request was throttled. ${limit}Your rate limit resets in ~${String(seconds)}s.`;

const LOW_CREDIT =
  'Your rate limit for creating predictions is reduced to 6 requests per minute with a burst of 1 requests while you have less than $5.0 in credit. ';

export const PROBLEMS = {
  unauthenticated: answer(401, {
    title: 'Unauthenticated',
    detail: 'You did not pass a valid authentication token',
    status: 401,
  }),
  insufficient_credit: answer(402, {
    title: 'Insufficient credit',
    detail:
      'You have insufficient credit to run this model. Go to https://replicate.com/account/billing#billing to purchase credit. Once you purchase credit, please wait a few minutes before trying again.',
    status: 402,
  }),
  spend_limit: answer(402, {
    title: 'Monthly spend limit reached',
    detail:
      "You've hit your monthly spend limit. You can change or remove your limit at https://replicate.com/account/billing#limits.",
    status: 402,
  }),
  not_found: answer(404, {
    detail: 'The requested resource could not be found.',
    status: 404,
  }),
  gone: answer(410, { detail: 'The requested resource is no longer available.', status: 410 }),
  file_too_large: answer(413, { detail: 'Files must be less than 100MB in size' }),
  invalid_version: answer(422, {
    title: 'Invalid version or not permitted',
    detail:
      "The specified version does not exist (or perhaps you don't have permission to use it?)",
    status: 422,
  }),
  internal: answer(500, { title: 'Internal server error', detail: '', status: 500 }),
  bad_gateway: html(502, 'Bad Gateway'),
} as const satisfies Record<string, Answer>;

/** 422 for a body or an input that does not fit: one line a mistake, as Replicate's validator writes them. */
export const invalidInput = (fields: readonly InvalidField[]): Answer =>
  answer(422, {
    detail: fields
      .map(({ field, description }) => `- ${field === '' ? '' : `${field}: `}${description}\n`)
      .join(''),
    status: 422,
    title: 'Input validation failed',
    invalid_fields: fields,
  });

export const badRequest = (status: number, detail: string): Answer =>
  answer(status, { title: 'Bad request', detail, status });

/** The 429s of the wild: with `retry_after` in the body, with a header only, or with nothing but words. */
export const tooManyRequests = {
  body: (seconds: number): Answer =>
    answer(429, { detail: throttled(seconds), status: 429, retry_after: seconds }),
  header: (seconds: number): Answer =>
    answer(
      429,
      { detail: 'Request was throttled.', status: 429 },
      { 'retry-after': String(seconds) },
    ),
  text: (seconds: number): Answer => answer(429, { detail: throttled(seconds), status: 429 }),
  low_credit: (seconds: number): Answer =>
    answer(429, { detail: throttled(seconds, LOW_CREDIT), status: 429, retry_after: seconds }),
};
