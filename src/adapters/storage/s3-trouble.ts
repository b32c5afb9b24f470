/**
 * What an S3 client's errors mean, as sentences: what was expected, what came, which variable to change. The server's own text is
 * left out, since it may repeat keys, tokens and signed addresses; its code and request id are kept.
 */
import { StoreTrouble } from './store.js';

/** What was asked of which bucket. */
export interface Asked {
  action: 'read' | 'written' | 'listed' | 'deleted';
  /** `s3://bucket/prefix/key`. */
  address: string;
  bucket: string;
  /** Null: that of AWS. */
  endpoint: string | null;
  region: string;
}

interface Seen {
  /** The server's code, the system's (`ECONNREFUSED`), or the client's. */
  code: string;
  status: number | undefined;
  /** Of the bucket, where the server has told it. */
  region: string | undefined;
}

interface Meaning {
  codes: readonly string[];
  statuses?: readonly number[];
  /** Only a setting or a person helps. */
  settled: boolean;
  says: (asked: Asked, seen: Seen) => string;
}

const server = ({ endpoint }: Asked): string => endpoint ?? 'AWS';
const PERMISSION = {
  read: 's3:GetObject',
  written: 's3:PutObject',
  listed: 's3:ListBucket',
  deleted: 's3:DeleteObject',
};
const POLICY = 'the policy in docs/operations.md ("A bucket")';

/** The first row that has the code counts; where none has it, the first that has the status. */
const MEANINGS: readonly Meaning[] = [
  {
    codes: ['NoSuchBucket'],
    settled: true,
    says: (asked) =>
      `STORAGE_URL: expected a bucket that exists, got "${asked.bucket}", which ${server(asked)} does not have; create it, or correct STORAGE_URL or S3_ENDPOINT`,
  },
  {
    codes: ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidSecurity', 'NotSignedUp'],
    statuses: [401],
    settled: true,
    says: (asked) =>
      `AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: expected a key that ${server(asked)} knows with its secret, got another one; correct both`,
  },
  {
    codes: ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired'],
    settled: true,
    says: () =>
      'AWS_SESSION_TOKEN: expected credentials that are valid, got some that have expired; renew them (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, or the login of AWS_PROFILE) and start the process again',
  },
  {
    codes: ['InvalidToken', 'InvalidClientTokenId', 'UnrecognizedClientException'],
    settled: true,
    says: () =>
      'AWS_SESSION_TOKEN: expected the token of AWS_ACCESS_KEY_ID, got another one; set the three together, or unset the token for keys that need none',
  },
  {
    codes: ['CredentialsProviderError', 'TokenProviderError'],
    settled: true,
    says: () =>
      'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: expected credentials in the environment, a profile (AWS_PROFILE) or the role of this machine, got none',
  },
  {
    codes: [
      'PermanentRedirect',
      'TemporaryRedirect',
      'Redirect',
      'AuthorizationHeaderMalformed',
      'IllegalLocationConstraintException',
      'InvalidRegionName',
    ],
    statuses: [301, 302, 307, 308],
    settled: true,
    says: (asked, { region }) =>
      `AWS_REGION: expected ${region === undefined ? `the region of the bucket "${asked.bucket}"` : `"${region}", where the bucket "${asked.bucket}" is`}, got "${asked.region}"; set AWS_REGION to the right one`,
  },
  {
    codes: ['RequestTimeTooSkewed', 'RequestInTheFuture'],
    settled: true,
    says: (asked) =>
      `expected a clock that differs from that of ${server(asked)} by less than 15 minutes, got one that differs by more; set the clock of this machine`,
  },
  {
    codes: [
      'QuotaExceeded',
      'InsufficientStorage',
      'InsufficientCapacity',
      'StorageFull',
      'XMinioStorageFull',
      'TooManyBytes',
      'ENOSPC',
      'EDQUOT',
    ],
    statuses: [507],
    settled: true,
    says: ({ bucket }) =>
      `expected room in the bucket "${bucket}", got none: it is full or its quota is used up; make room or raise the quota`,
  },
  {
    codes: ['MethodNotAllowed', 'ReadOnly', 'ReadOnlyBucket', 'EROFS'],
    statuses: [405],
    settled: true,
    says: ({ bucket }) =>
      `expected a bucket that may be written, got "${bucket}", which is read-only; make it writable, or set STORAGE_URL to another one`,
  },
  {
    codes: ['NotImplemented'],
    statuses: [501],
    settled: true,
    says: (asked) =>
      `S3_ENDPOINT: expected a server with conditional writes (If-None-Match), ranges and multipart uploads, got ${server(asked)}, which lacks what was asked; use another server (docs/operations.md, "A bucket")`,
  },
  {
    codes: ['AccessDenied', 'AllAccessDisabled', 'AccountProblem', 'Forbidden', 'InvalidPayer'],
    statuses: [403],
    settled: true,
    says: ({ action, bucket }) =>
      action === 'written' || action === 'deleted'
        ? `AWS_ACCESS_KEY_ID: expected a user with ${PERMISSION[action]} on a bucket that may be written, got a refusal: the bucket "${bucket}" is read-only, or the user lacks the right; give it ${POLICY}`
        : `AWS_ACCESS_KEY_ID: expected a user with ${PERMISSION[action]} on the bucket "${bucket}", got a refusal; give it ${POLICY}`,
  },
  {
    codes: ['ENOTFOUND', 'EAI_AGAIN'],
    settled: false,
    says: (asked) =>
      `S3_ENDPOINT: expected a host that has an address, got none for ${asked.endpoint ?? `region "${asked.region}" of AWS`}; correct S3_ENDPOINT, AWS_REGION or the network, and set S3_FORCE_PATH_STYLE=true where buckets have no host names of their own`,
  },
  {
    codes: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_HAS_EXPIRED',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'EPROTO',
    ],
    settled: true,
    says: (asked) =>
      `S3_ENDPOINT: expected a certificate that this machine trusts, got another answer from ${server(asked)}; correct S3_ENDPOINT (http or https), or name the authority's file in NODE_EXTRA_CA_CERTS`,
  },
  {
    codes: [
      'SlowDown',
      'Throttling',
      'ThrottlingException',
      'TooManyRequests',
      'RequestLimitExceeded',
    ],
    statuses: [429],
    settled: false,
    says: (asked) => `expected an answer, got "slow down" from ${server(asked)} at every try`,
  },
  {
    codes: ['TimeoutError', 'RequestTimeout', 'ETIMEDOUT', 'ESOCKETTIMEDOUT'],
    statuses: [408],
    settled: false,
    says: (asked) => `S3_ENDPOINT: expected an answer of ${server(asked)} within seconds, got none`,
  },
  {
    codes: ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH'],
    settled: false,
    says: (asked) =>
      `S3_ENDPOINT: expected a connection to ${server(asked)}, got none that lasts; start the server or correct S3_ENDPOINT`,
  },
  {
    codes: ['ServiceUnavailable', 'InternalError', 'InternalFailure'],
    statuses: [500, 502, 503, 504],
    settled: false,
    says: (asked) => `expected an answer of ${server(asked)}, got an error of its own at every try`,
  },
];

/** What is no answer and no trouble of the network, such as a mistake of this program, stays as it is. */
export function troubleOf(error: unknown, asked: Asked): unknown {
  if (error instanceof StoreTrouble) return error;
  const seen = seenIn(error);
  if (seen.code === UNKNOWN && seen.status === undefined) return error;
  const meaning =
    MEANINGS.find(({ codes }) => codes.includes(seen.code)) ??
    MEANINGS.find(({ statuses = [] }) => statuses.includes(seen.status ?? 0));
  const what =
    meaning?.says(asked, seen) ??
    `expected an answer that S3 knows, got another one from ${server(asked)}`;
  const came = seen.status === undefined ? seen.code : `${seen.code}, HTTP ${String(seen.status)}`;
  return new StoreTrouble(`${asked.address} could not be ${asked.action}: ${what} (${came}).`, {
    settled: meaning?.settled ?? false,
    cause: new Error(`${came}${requestOf(error)}`),
  });
}

/** The status of an answer; undefined where there was none. */
export const statusOf = (error: unknown): number | undefined =>
  (error as SdkError | null)?.$metadata?.httpStatusCode ??
  (error as SdkError | null)?.$response?.statusCode;

export const codeOf = (error: unknown): string => seenIn(error).code;

/** As the client throws it: an answer, an error of the system, or one of its own. */
interface SdkError {
  name?: string;
  code?: string;
  Code?: string;
  Region?: string;
  cause?: unknown;
  $metadata?: { httpStatusCode?: number; requestId?: string };
  $response?: { statusCode?: number; headers?: Record<string, string> };
}

function seenIn(error: unknown): Seen {
  const given = (error ?? {}) as SdkError;
  const status = statusOf(error);
  return {
    // What system or TLS says is in `code`, a server's code in `name`; a wrapper has it in its cause.
    code: [given.code, given.Code, given.name].find(isTold) ?? causeOf(given) ?? UNKNOWN,
    status,
    region: given.Region ?? given.$response?.headers?.['x-amz-bucket-region'],
  };
}

const UNKNOWN = 'Unknown';
const OF_LANGUAGE = new Set([
  UNKNOWN,
  'Error',
  'TypeError',
  'RangeError',
  'SyntaxError',
  'AggregateError',
]);

const isTold = (name: string | undefined): name is string =>
  name !== undefined && /^[A-Z][A-Za-z0-9_]{1,63}$/.test(name) && !OF_LANGUAGE.has(name);

const causeOf = ({ cause }: SdkError): string | undefined =>
  cause === undefined ? undefined : seenIn(cause).code;

const requestOf = (error: unknown): string => {
  const id = (error as SdkError | null)?.$metadata?.requestId;
  return id === undefined ? '' : `, request ${id.slice(0, 64)}`;
};
