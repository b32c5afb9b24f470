/**
 * The storage port over a bucket of S3, or of a server that speaks its protocol. Objects have no other names and no other parts: a
 * key below the prefix of STORAGE_URL is the object's key, so that any S3 tool can read what is kept.
 *
 * BUCKET-1 Of an upload nothing is seen before its last request is answered; a part that was sent and not used is removed at
 *    once, or by the bucket's lifecycle rule when the process dies.
 * BUCKET-2 An answer that was lost is not taken for another writer: each write has an id of its own in the object's metadata, and
 *    a conditional write that finds the key taken after it was sent more than once looks whose id is there.
 * BUCKET-3 A request is not repeated when 20 s have passed since it was first sent.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type {
  GetObjectCommandOutput,
  HeadObjectCommandOutput,
  S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { checkedKey } from './store-keys.js';
import { codeOf, statusOf, troubleOf } from './s3-trouble.js';
import type { Asked } from './s3-trouble.js';
import type { ByteRange, Content, ObjectFacts, PutOptions, Store } from './store.js';

export interface S3Settings {
  /** `s3://bucket` or `s3://bucket/prefix`. */
  url: string;
  /** Null: AWS, in the region of AWS_REGION. */
  endpoint: string | null;
  force_path_style: boolean;
}

/** Milliseconds. */
export interface S3Patience {
  /** Until a connection is there. */
  connect: number;
  /** Without a byte in either direction. */
  idle: number;
  /** BUCKET-3. */
  repeat: number;
}

const PATIENCE: S3Patience = { connect: 5_000, idle: 10_000, repeat: 20_000 };
/** Between two tries. */
const MAX_PAUSE = 4_000;
const MAX_CONFLICTS = 8;

/** Up to here an object is one request, whose hash the server checks. */
const SINGLE_BYTES = 16 * 1024 * 1024;
/** A larger one is sent in parts, of which this many are in memory: 80 GB fit into the 10,000 parts that S3 takes. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_A_TIME = 2;

/** What S3-compatible servers mostly expect; AWS tells the right one. */
const DEFAULT_REGION = 'us-east-1';
const DEFAULT_TYPE = 'application/octet-stream';
const WRITE_ID = 'write-id';

export async function createS3Store(
  settings: S3Settings,
  patience: S3Patience = PATIENCE,
): Promise<Store> {
  const { bucket, prefix } = partsOf(settings.url);
  const location = `s3://${bucket}/${prefix}`.replace(/\/$/, '');
  const region = await new S3Client({}).config.region().catch(() => DEFAULT_REGION);
  const { whole, streamed } = clientsOf(settings, region, patience);

  const asked = (action: Asked['action'], key: string): Asked => ({
    action,
    address: `s3://${bucket}/${prefix}${key}`,
    bucket,
    endpoint: settings.endpoint,
    region,
  });
  const object = (key: string) => ({ Bucket: bucket, Key: `${prefix}${key}` });

  async function ask<Answer>(
    action: Asked['action'],
    key: string,
    send: () => Promise<Answer>,
  ): Promise<Answer> {
    if (action !== 'listed') checkedKey(key);
    try {
      return await send();
    } catch (error) {
      throw troubleOf(error, asked(action, key));
    }
  }

  async function headOf(key: string): Promise<HeadObjectCommandOutput | null> {
    try {
      return await whole.send(new HeadObjectCommand(object(key)));
    } catch (error) {
      if (statusOf(error) === 404) return null;
      // An answer to HEAD has no body that says why; that to another request has.
      await whole.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 }));
      throw error;
    }
  }

  /** BUCKET-2. */
  const hasWriteId = async (key: string, id: string): Promise<boolean> =>
    (await headOf(key))?.Metadata?.[WRITE_ID] === id;

  const inputOf = (key: string, id: string, { media_type, sha256 }: PutOptions) => ({
    ...object(key),
    ContentType: media_type ?? DEFAULT_TYPE,
    Metadata: { [WRITE_ID]: id, ...(sha256 === undefined ? {} : { sha256 }) },
  });

  const singleOf = (key: string, id: string, body: string | Uint8Array, options: PutOptions) => ({
    ...inputOf(key, id, options),
    // The client warns of an empty string.
    Body: typeof body === 'string' ? Buffer.from(body) : body,
    ...(options.sha256 === undefined
      ? {}
      : { ChecksumSHA256: Buffer.from(options.sha256, 'hex').toString('base64') }),
  });

  /** BUCKET-1. */
  async function putInParts(
    key: string,
    body: Uint8Array | string | Readable,
    options: PutOptions,
  ): Promise<void> {
    const id = randomUUID();
    const params = { ...inputOf(key, id, options), Body: body };
    const upload = new Upload({
      client: whole,
      params,
      queueSize: PARTS_AT_A_TIME,
      partSize: PART_BYTES,
    });
    try {
      await upload.done();
    } catch (error) {
      // BUCKET-2: the last request was repeated, and the server knows the upload no longer.
      const isStored = codeOf(error) === 'NoSuchUpload' && (await hasWriteId(key, id));
      if (!isStored) throw error;
    } finally {
      if (body instanceof Readable) body.destroy();
    }
  }

  async function putIfFree(key: string, content: string, options: PutOptions): Promise<boolean> {
    const id = randomUUID();
    const input = { ...singleOf(key, id, content, options), IfNoneMatch: '*' };
    for (let conflicts = 0; ; conflicts += 1) {
      try {
        await whole.send(new PutObjectCommand(input));
        return true;
      } catch (error) {
        if (statusOf(error) === 412) {
          return (conflicts > 0 || triesOf(error) > 1) && (await hasWriteId(key, id)); // BUCKET-2
        }
        if (!CONFLICTS.has(codeOf(error)) || conflicts === MAX_CONFLICTS) throw error;
        await pause(Math.random() * 50 * 2 ** conflicts);
      }
    }
  }

  return {
    kind: 'bucket',
    location,

    async put(key, content, options = {}) {
      const bytes = isFile(content) ? (await stat(content.file)).size : Buffer.byteLength(content);
      await ask('written', key, async () => {
        if (bytes > SINGLE_BYTES) {
          await putInParts(key, isFile(content) ? partsOfFile(content.file) : content, options);
        } else {
          const body = isFile(content) ? await readFile(content.file) : content;
          await whole.send(new PutObjectCommand(singleOf(key, randomUUID(), body, options)));
        }
      });
      if (isFile(content)) await rm(content.file, { force: true });
    },

    putIfAbsent: (key, content, options = {}) =>
      ask('written', key, () => putIfFree(key, content, options)),

    get: (key, range) =>
      ask('read', key, async () => {
        const input = {
          ...object(key),
          ...(range === undefined ? {} : { Range: headerOf(range) }),
        };
        try {
          const found = await streamed.send(new GetObjectCommand(input));
          const body = watched(
            found.Body as Readable,
            patience.idle,
            (error) => troubleOf(error, asked('read', key)) as Error,
          );
          return { ...factsOf(key, found, totalOf(found)), body };
        } catch (error) {
          if (codeOf(error) === 'NoSuchKey') return null;
          if (statusOf(error) !== 416) throw error;
          const found = await headOf(key);
          return found === null
            ? null
            : { ...factsOf(key, found, found.ContentLength), body: Readable.from([]) };
        }
      }),

    head: (key) =>
      ask('read', key, async () => {
        const found = await headOf(key);
        return found === null ? null : factsOf(key, found, found.ContentLength);
      }),

    list: (below, { cursor, limit, shallow = false, keys_only = false } = {}) =>
      ask('listed', below, async () => {
        const page = await whole.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: `${prefix}${below}`,
            MaxKeys: limit ?? PAGE,
            ...(cursor == null ? {} : { ContinuationToken: cursor }),
            ...(shallow ? { Delimiter: '/' } : {}),
          }),
        );
        const own = (key: string | undefined): string => (key ?? '').slice(prefix.length);
        const found = (page.Contents ?? []).map((object) =>
          factsOf(own(object.Key), object, object.Size),
        );
        return {
          keys: found.map(({ key }) => key),
          objects: keys_only ? [] : found,
          folders: (page.CommonPrefixes ?? []).map((folder) => own(folder.Prefix)),
          cursor: page.NextContinuationToken ?? null,
        };
      }),

    delete: (key) =>
      ask('deleted', key, async () => {
        try {
          await whole.send(new DeleteObjectCommand(object(key)));
        } catch (error) {
          if (codeOf(error) !== 'NoSuchKey') throw error;
        }
      }),

    url: (key, { expires_in, media_type, file_name }) =>
      ask('read', key, () =>
        getSignedUrl(
          streamed,
          new GetObjectCommand({
            ...object(key),
            ...(media_type === undefined ? {} : { ResponseContentType: media_type }),
            ...(file_name === undefined
              ? {}
              : { ResponseContentDisposition: `attachment; filename="${file_name}"` }),
          }),
          { expiresIn: expires_in },
        ),
      ),
  };
}

/** Answers that mean: another conditional write of this key was under way; send it again. */
const CONFLICTS = new Set(['ConditionalRequestConflict', 'OperationAborted']);

const PAGE = 1_000;

const triesOf = (error: unknown): number =>
  (error as { $metadata?: { attempts?: number } }).$metadata?.attempts ?? 1;

/** `s3://bucket/a/b` → `bucket` and `a/b/`. */
function partsOf(url: string): { bucket: string; prefix: string } {
  const [bucket = '', ...path] = url.slice('s3://'.length).split('/');
  return { bucket, prefix: path.map((segment) => `${segment}/`).join('') };
}

/** `whole`: requests and answers that are sent and read at once. `streamed`: answers that are read as their reader likes. */
function clientsOf(
  { endpoint, force_path_style }: S3Settings,
  region: string,
  { connect, idle, repeat }: S3Patience,
): { whole: S3Client; streamed: S3Client } {
  const base: S3ClientConfig = {
    region,
    forcePathStyle: force_path_style,
    ...(endpoint === null ? {} : { endpoint }),
    retryStrategy: untilTime(repeat),
  };
  const whole = new S3Client({
    ...base,
    requestHandler: { connectionTimeout: connect, socketTimeout: idle },
  });
  const streamed = new S3Client({
    ...base,
    credentials: whole.config.credentials,
    requestHandler: {
      connectionTimeout: connect,
      requestTimeout: idle,
      throwOnRequestTimeout: true,
    },
  });
  return { whole, streamed };
}

/**
 * BUCKET-3. The SDK's own strategies count retries of the whole process, and end all of them when a store is down for long: a
 * short outage would then fail every request of its last seconds.
 */
const untilTime = (repeat: number): NonNullable<S3ClientConfig['retryStrategy']> => ({
  acquireInitialRetryToken: async () => tokenOf(performance.now(), 0, 0),
  async refreshRetryTokenForRetry(token, { error, errorType, retryAfterHint }) {
    const tries = token.getRetryCount();
    const { begun } = token as ReturnType<typeof tokenOf>;
    const longest = (errorType === 'THROTTLING' ? 500 : 100) * 2 ** tries;
    const hint = (retryAfterHint?.getTime() ?? 0) - Date.now();
    const delay = Math.max(Math.random() * Math.min(longest, MAX_PAUSE), Math.min(hint, MAX_PAUSE));
    const mayPass = errorType === 'THROTTLING' || errorType === 'TRANSIENT';
    if (!mayPass || performance.now() + delay - begun > repeat) {
      throw new Error('not again', { cause: error }); // the SDK throws the error itself
    }
    return tokenOf(begun, tries + 1, delay);
  },
  recordSuccess: () => undefined,
});

const tokenOf = (begun: number, tries: number, delay: number) => ({
  begun,
  getRetryCount: () => tries,
  getRetryDelay: () => delay,
});

const isFile = (content: Content): content is { file: string } =>
  typeof content === 'object' && 'file' in content;

const partsOfFile = (file: string): Readable =>
  createReadStream(file, { highWaterMark: 1024 * 1024 });

const headerOf = ({ start, end }: ByteRange): string =>
  `bytes=${String(start)}-${Number.isFinite(end) ? String(end) : ''}`;

/** Of the whole object, also where the answer has a part of it. */
const totalOf = ({ ContentRange = '', ContentLength }: GetObjectCommandOutput): number =>
  Number(/\/(\d+)$/.exec(ContentRange)?.[1] ?? ContentLength);

const factsOf = (
  key: string,
  found: { ETag?: string | undefined; LastModified?: Date | undefined },
  bytes: number | undefined,
): ObjectFacts => ({
  key,
  bytes: bytes ?? 0,
  modified_at: (found.LastModified ?? new Date(0)).toISOString(),
  etag: `"${(found.ETag ?? '').replaceAll('"', '')}"`,
});

/** A reader may pause as long as it likes; a server that owes bytes may not. */
function watched(source: Readable, idle: number, troubleOfRead: (error: Error) => Error): Readable {
  const body = new PassThrough();
  let arrived = false;
  const look = setInterval(() => {
    if (!arrived && !body.writableNeedDrain) {
      source.destroy(Object.assign(new Error('no byte came'), { name: 'TimeoutError' }));
    }
    arrived = false;
  }, idle);
  source.on('data', () => (arrived = true));
  source.on('error', (error) => body.destroy(troubleOfRead(error)));
  body.on('close', () => {
    clearInterval(look);
    source.destroy();
  });
  return source.pipe(body);
}
