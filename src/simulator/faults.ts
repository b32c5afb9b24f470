/**
 * Everything that can go wrong on purpose, one row each: at which point of a prediction's life, how often, and
 * what happens then. A row is chosen by a tag in the prompt (`[[fail-once]]`, `[[http-429:5:2]]`) or by a
 * control call. Rows are data; `fault-injector.ts` counts them, the routes carry them out.
 */
import { HOLD_POINTS, type Effect, type FaultPoint, type HoldPoint } from './effects.js';
import { PROBLEMS, invalidInput, tooManyRequests, type Answer } from './refusals.js';

export interface FaultRow {
  at: FaultPoint;
  says: string;
  /** The meaning of what follows the name, in order: `[[name:argument:argument]]`. */
  takes: readonly ('seconds' | 'times')[];
  seconds: number;
  /** How often it is injected: per identical input at creation, per prediction after that. */
  times: number;
  effect: (seconds: number) => Effect;
}

const ALWAYS = Infinity;

function row(
  at: FaultPoint,
  says: string,
  effect: Effect | ((seconds: number) => Effect),
  more: Partial<Pick<FaultRow, 'seconds' | 'times'>> = {},
): FaultRow {
  const takes = more.seconds === undefined ? (['times'] as const) : (['seconds', 'times'] as const);
  const make = typeof effect === 'function' ? effect : (): Effect => effect;
  return { at, says, takes, seconds: 0, times: 1, ...more, effect: make };
}

const fails = (says: string, error: string | null, times = 1, after = 1): FaultRow =>
  row('accept', says, { kind: 'outcome', outcome: { status: 'failed', error }, after }, { times });

const answers = (at: FaultPoint, says: string, answer: Answer): FaultRow =>
  row(at, says, { kind: 'answer', answer });

/** What follows the code is different in every run of the real thing; the simulator's routes fill `{run}` in. */
const FLAGGED =
  'The input or output was flagged as sensitive. Please try again with different inputs. (E005) ({run})';
export const INVALID =
  'The input was invalid. Please try again with different inputs. (E006) ({run})';
const director = (code: string): string =>
  `Director: unexpected error handling prediction (${code})`;

/** What only Replicate's own validator finds: our catalogue is never as new as its schemas. */
/** A file that is no better the next time it is asked for. */
const everyTime = (says: string, effect: Effect): FaultRow =>
  row('content', says, effect, { times: ALWAYS });

const REFUSED = {
  type: 'string_lte',
  field: 'input.prompt',
  description: 'String length must be less than or equal to 5',
};

const RUNS = {
  'fail-once': fails('the first prediction of this input fails', director('E9828')),
  'fail-always': fails('every prediction of this input fails', director('E9828'), ALWAYS),
  'fail-empty': fails('fails without a word', null),
  traceback: fails('the model dies of a Python error', 'ValueError: the frames do not add up'),
  flagged: fails('content is refused', FLAGGED, ALWAYS, 0.5),
  nsfw: fails(
    'content is refused, in older words',
    'NSFW content detected. Try running it again, or try a different prompt.',
    ALWAYS,
  ),
  invalid: fails('the model refuses its input late', INVALID, ALWAYS, 0.1),
  interrupted: fails('interrupted', 'Prediction interrupted; please retry (code: PA)'),
  E9828: fails('director error', director('E9828')),
  E8765: fails('health check failed', director('E8765')),
  E6716: fails('start timed out', director('E6716')),
  E9825: fails('the output could not be uploaded', director('E9825')),
  E1001: fails('out of memory', 'CUDA out of memory. Tried to allocate 2.00 GiB (E1001)', ALWAYS),
  E001: fails('request error', 'An error occurred while processing your request (E001) ({run})'),
  E003: fails(
    'high demand',
    'Service is currently unavailable due to high demand. Please try again later. (E003) ({run})',
  ),
  E004: fails(
    'unavailable',
    'Service is temporarily unavailable. Please try again later. (E004) ({run})',
  ),
  'boot-failed': fails(
    'the container does not start',
    'model container failed to boot and complete setup within 600 seconds',
  ),
  aborted: row('accept', 'ends before it starts, unbilled', {
    kind: 'outcome',
    outcome: { status: 'aborted' },
    after: 1,
  }),
  'stuck-starting': row(
    'accept',
    'never leaves the queue',
    { kind: 'stuck', phase: 'starting' },
    { times: ALWAYS },
  ),
  'stuck-processing': row(
    'accept',
    'never ends',
    { kind: 'stuck', phase: 'processing' },
    { times: ALWAYS },
  ),
  slow: row(
    'accept',
    'renders for so many real seconds',
    (seconds) => ({ kind: 'render', seconds }),
    { seconds: 300, times: ALWAYS },
  ),
  'hidden-from-list': row(
    'accept',
    'appears in the listing so many seconds late',
    (seconds) => ({ kind: 'unlisted', seconds }),
    { seconds: 3, times: ALWAYS },
  ),
  'echo-defaults': row(
    'accept',
    'says that it was sent every default of its model',
    { kind: 'echo_defaults' },
    { times: ALWAYS },
  ),
  'echo-files': row(
    'accept',
    'says that the files it was sent are at an address of its own',
    { kind: 'echo_files' },
    { times: ALWAYS },
  ),
  'echo-model': row(
    'accept',
    'calls its model by another name',
    { kind: 'echo_model' },
    { times: ALWAYS },
  ),
  'null-output': row('accept', 'succeeds without an output', { kind: 'output', output: 'none' }),
  'empty-output': row('accept', 'succeeds with an empty list', { kind: 'output', output: 'empty' }),
  'late-output': row('accept', 'the end is read once without its output', {
    kind: 'output',
    output: 'late',
  }),
  'object-output': row('accept', 'the URL stands in an object, under "file"', {
    kind: 'output',
    output: 'object',
  }),
  'nested-output': row('accept', 'the URL stands deep in lists and objects, after its thumbnail', {
    kind: 'output',
    output: 'nested',
  }),
  'mixed-output': row('accept', 'a list of picture, sound and video', {
    kind: 'output',
    output: 'among-others',
  }),
  'data-output': row('accept', 'the file itself, as a data: URL in base64', {
    kind: 'output',
    output: 'data',
  }),
  'data-output-escaped': row('accept', 'the file itself, as a percent-encoded data: URL', {
    kind: 'output',
    output: 'data-escaped',
  }),
  'odd-output': row(
    'accept',
    'an object without a video',
    { kind: 'output', output: 'odd' },
    { times: ALWAYS },
  ),
  'text-output': row(
    'accept',
    'a sentence instead of a file',
    { kind: 'output', output: 'text' },
    { times: ALWAYS },
  ),
  'no-metrics': row(
    'accept',
    'ends without saying how long it ran',
    { kind: 'unmetered' },
    { times: ALWAYS },
  ),
  'wrong-duration': row(
    'accept',
    'the clip is far longer than asked for',
    { kind: 'duration', factor: 2 },
    { times: ALWAYS },
  ),
  'expired-file': row(
    'accept',
    'output and input are removed by the first request for the file',
    { kind: 'expire' },
    { times: ALWAYS },
  ),
} as const satisfies Record<string, FaultRow>;

const CREATES = {
  'http-401': answers('before-accept', 'the token is refused', PROBLEMS.unauthenticated),
  'http-402': answers('before-accept', 'no credit', PROBLEMS.insufficient_credit),
  'spend-limit': answers('before-accept', 'the monthly limit is reached', PROBLEMS.spend_limit),
  'http-404': answers('before-accept', 'there is no such model', PROBLEMS.not_found),
  'http-410': answers('before-accept', 'the model is gone', PROBLEMS.gone),
  'http-422': answers('before-accept', 'the input is refused', invalidInput([REFUSED])),
  'http-500': answers('before-accept', '500, nothing accepted', PROBLEMS.internal),
  'http-502-html': answers('before-accept', '502 in HTML, nothing accepted', PROBLEMS.bad_gateway),
  'http-429': row(
    'before-accept',
    'throttled, retry_after in the body',
    (seconds) => ({ kind: 'answer', answer: tooManyRequests.body(seconds) }),
    { seconds: 2 },
  ),
  'http-429-header': row(
    'before-accept',
    'throttled, Retry-After in a header only',
    (seconds) => ({ kind: 'answer', answer: tooManyRequests.header(seconds) }),
    { seconds: 2 },
  ),
  'http-429-text': row(
    'before-accept',
    'throttled, the wait in words only',
    (seconds) => ({ kind: 'answer', answer: tooManyRequests.text(seconds) }),
    { seconds: 2 },
  ),
  'low-credit': row(
    'before-accept',
    'throttled for low credit',
    (seconds) => ({ kind: 'answer', answer: tooManyRequests.low_credit(seconds) }),
    { seconds: 9 },
  ),
  reset: row('before-accept', 'connection reset, nothing accepted', { kind: 'reset' }),
  'hang-create': row('before-accept', 'no answer, nothing accepted', { kind: 'hang' }),
  'slow-create': row('before-accept', 'accepts late', (seconds) => ({ kind: 'delay', seconds }), {
    seconds: 5,
  }),
  'accept-then-drop': row('after-accept', 'accepted, then the socket dies', { kind: 'reset' }),
  'accept-then-500': answers('after-accept', 'accepted, then a 500', PROBLEMS.internal),
  'accept-then-502': answers('after-accept', 'accepted, then HTML', PROBLEMS.bad_gateway),
  'accept-then-hang': row('after-accept', 'accepted, no answer', { kind: 'hang' }),
  'slow-answer': row(
    'after-accept',
    'accepted at once, answered late',
    (seconds) => ({ kind: 'delay', seconds }),
    { seconds: 5 },
  ),
  'garbled-201': row('after-accept', 'accepted, 201 that is not JSON', { kind: 'garble' }),
  'cut-201': row('after-accept', 'accepted, 201 cut in the middle', { kind: 'cut' }),
} as const satisfies Record<string, FaultRow>;

const READS = {
  'poll-500': answers('poll', 'reading the prediction fails', PROBLEMS.internal),
  'poll-502-html': answers('poll', 'reading the prediction gives HTML', PROBLEMS.bad_gateway),
  'poll-404': answers('poll', 'the prediction is not found yet', PROBLEMS.not_found),
  'poll-429': row(
    'poll',
    'reading is throttled',
    (seconds) => ({ kind: 'answer', answer: tooManyRequests.body(seconds) }),
    { seconds: 1 },
  ),
  'poll-reset': row('poll', 'the connection dies while reading', { kind: 'reset' }),
  'poll-garbled': row('poll', 'the answer is not JSON', { kind: 'garble' }),
  'poll-cut': row('poll', 'the answer is cut in the middle', { kind: 'cut' }),
  'cancel-500': answers('cancel', 'canceling fails', PROBLEMS.internal),
  'cancel-reset': row('cancel', 'the connection dies while canceling', { kind: 'reset' }),
  // The listing has no prompt: these are chosen by control calls, without a match or with a part of the query, as `cursor`.
  'list-500': answers('list', 'the listing fails', PROBLEMS.internal),
  'list-reset': row('list', 'the connection dies while listing', { kind: 'reset' }),
  'list-garbled': row('list', 'the listing is not JSON', { kind: 'garble' }),
  'list-429': row(
    'list',
    'listing is throttled',
    (seconds) => ({ kind: 'answer', answer: tooManyRequests.body(seconds) }),
    { seconds: 2 },
  ),
  'list-slow': row(
    'list',
    'a page takes so many seconds',
    (seconds) => ({ kind: 'delay', seconds }),
    { seconds: 0.3, times: ALWAYS },
  ),
} as const satisfies Record<string, FaultRow>;

const FILES = {
  'truncated-file': row('content', 'the connection dies halfway', { kind: 'truncate' }),
  'short-file': row('content', 'half of the bytes, as if that were all', { kind: 'shorten' }),
  'empty-file': row('content', 'no bytes at all', { kind: 'empty' }),
  'corrupt-file': row('content', 'the pictures are overwritten with zeros', { kind: 'corrupt' }),
  'slow-file': row(
    'content',
    'takes so many seconds',
    (seconds) => ({ kind: 'trickle', seconds }),
    {
      seconds: 10,
    },
  ),
  'html-file': row('content', 'an HTML page instead of a video', { kind: 'html' }),
  'gzip-file': everyTime('compressed on the way, whatever was asked for', { kind: 'gzip' }),
  'webm-file': everyTime('a WebM instead of an MP4', { kind: 'webm' }),
  'billion-samples-file': everyTime('800 bytes of MP4 that say they have four billion samples', {
    kind: 'hostile',
    by: 'samples',
  }),
  'box-flood-file': everyTime('an MP4 of six million tiny boxes', { kind: 'hostile', by: 'boxes' }),
  'file-404': answers('file', 'not found', PROBLEMS.not_found),
  'file-403': answers('file', 'forbidden', { ...PROBLEMS.not_found, status: 403 }),
  'file-500': answers('file', 'a 500', PROBLEMS.internal),
  'too-large-file': everyTime('10 GB are announced', { kind: 'oversize' }),
  'redirect-file': row('content', 'sends the client to another host', { kind: 'redirect' }),
} as const satisfies Record<string, FaultRow>;

const HOLD_AT: Record<HoldPoint, [FaultPoint, Effect]> = {
  'before-accept': ['before-accept', { kind: 'hold', point: 'before-accept' }],
  'after-accept': ['after-accept', { kind: 'hold', point: 'after-accept' }],
  'while-starting': ['accept', { kind: 'hold_run', phase: 'starting' }],
  'while-processing': ['accept', { kind: 'hold_run', phase: 'processing' }],
  'while-unlisted': ['accept', { kind: 'hold_listing' }],
  'before-poll': ['poll', { kind: 'hold', point: 'before-poll' }],
  'before-cancel': ['cancel', { kind: 'hold', point: 'before-cancel' }],
  'before-list': ['list', { kind: 'hold', point: 'before-list' }],
  'before-file': ['file', { kind: 'hold', point: 'before-file' }],
};

const HOLDS = Object.fromEntries(
  HOLD_POINTS.map((point) => {
    const [at, effect] = HOLD_AT[point];
    return [`hold:${point}`, row(at, `waits ${point} until it is released`, effect)];
  }),
) as Record<`hold:${HoldPoint}`, FaultRow>;

export const FAULTS: Readonly<Record<string, FaultRow>> = {
  ...RUNS,
  ...CREATES,
  ...READS,
  ...FILES,
  ...HOLDS,
};
