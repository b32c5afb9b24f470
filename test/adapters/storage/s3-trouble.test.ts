/** What a bucket's store makes of bad answers, and of none: the AWS SDK against a server that answers as it is told. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createS3Store } from '../../../src/adapters/storage/s3-store.js';
import { readText, StoreTrouble } from '../../../src/adapters/storage/store.js';
import type { Store } from '../../../src/adapters/storage/store.js';
import { freePorts } from '../../../src/http/ports.js';
import { scripted, status } from '../../support/scripted-server.js';
import type { Answer } from '../../support/scripted-server.js';

const SECRETS = ['AKIDtest', 'the-secret', 'the-session-token'];

beforeEach(() => {
  for (const [name, value] of Object.entries({
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: SECRETS[0],
    AWS_SECRET_ACCESS_KEY: SECRETS[1],
    AWS_SESSION_TOKEN: SECRETS[2],
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
    AWS_CONFIG_FILE: '/nowhere',
  })) {
    vi.stubEnv(name, value);
  }
  return () => vi.unstubAllEnvs();
});

const PATIENCE = { connect: 2_000, idle: 300, repeat: 600 };

const storeAt = (endpoint: string, patience = PATIENCE): Promise<Store> =>
  createS3Store({ url: 's3://clips/p', endpoint, force_path_style: true }, patience);

const xml =
  (code: number, name: string, headers: Record<string, string> = {}): Answer =>
  (request, response) => {
    request.resume();
    response
      .writeHead(code, { 'content-type': 'application/xml', ...headers })
      .end(
        request.method === 'HEAD'
          ? undefined
          : `<?xml version="1.0"?><Error><Code>${name}</Code><Message>${SECRETS.join(' ')}</Message><AWSAccessKeyId>${SECRETS.join(' ')}</AWSAccessKeyId><RequestId>R1</RequestId></Error>`,
      );
  };

const ok =
  (body = '', headers: Record<string, string> = {}): Answer =>
  (request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(200, { etag: '"e"', ...headers }).end(body));
  };

const hangUp: Answer = (request) => {
  request.resume();
  request.on('end', () => request.socket.destroy());
};

async function against(...answers: Answer[]) {
  const server = await scripted(answers);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { server, store: await storeAt(server.url) };
}

async function troubleOf(work: Promise<unknown>): Promise<StoreTrouble> {
  const error: unknown = await work.then(
    () => 'no error',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StoreTrouble);
  const { message, cause } = error as StoreTrouble;
  const told = `${message} ${String(cause)} ${JSON.stringify(cause)} ${JSON.stringify(error)}`;
  for (const secret of SECRETS) expect(told).not.toContain(secret);
  return error as StoreTrouble;
}

const asksOf = (store: Store): (() => Promise<unknown>)[] => [
  () => store.get('a'),
  () => store.put('a', 'x'),
  () => store.head('a'),
  () => store.list(''),
];

describe('an answer that refuses', () => {
  it.each([
    [404, 'NoSuchBucket', /STORAGE_URL: expected a bucket that exists, got "clips"/],
    [403, 'InvalidAccessKeyId', /AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: expected a key that/],
    [403, 'SignatureDoesNotMatch', /AWS_SECRET_ACCESS_KEY: expected a key that/],
    [403, 'AccessDenied', /AWS_ACCESS_KEY_ID: expected a user with s3:PutObject .*read-only/],
    [403, 'SomethingNew', /expected a user with s3:PutObject .*\(SomethingNew, HTTP 403\)/],
    [400, 'ExpiredToken', /AWS_SESSION_TOKEN: expected credentials that are valid/],
    [403, 'ExpiredTokenException', /AWS_SESSION_TOKEN: expected credentials that are valid/],
    [400, 'InvalidToken', /AWS_SESSION_TOKEN: expected the token of AWS_ACCESS_KEY_ID/],
    [403, 'RequestTimeTooSkewed', /expected a clock that differs .* by less than 15 minutes/],
    [400, 'QuotaExceeded', /expected room in the bucket "clips", got none/],
    [507, 'XMinioStorageFull', /expected room in the bucket "clips", got none/],
    [507, 'SomethingNew', /expected room in the bucket "clips", got none/],
    [405, 'MethodNotAllowed', /expected a bucket that may be written, got "clips"/],
    [501, 'NotImplemented', /S3_ENDPOINT: expected a server with conditional writes/],
  ])('with %d %s is told in words that say what to change', async (code, name, words) => {
    const { store, server } = await against(xml(code, name));
    const trouble = await troubleOf(store.put('jobs/a/plan.json', '{}'));
    expect(trouble.message).toMatch(words);
    expect(trouble.message).toMatch(/^s3:\/\/clips\/p\/jobs\/a\/plan\.json could not be written: /);
    expect(trouble.settled).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    [301, 'PermanentRedirect', { 'x-amz-bucket-region': 'ap-south-1' }, '"ap-south-1"'],
    [301, 'PermanentRedirect', {}, 'the region of the bucket "clips"'],
    [400, 'AuthorizationHeaderMalformed', {}, 'the region of the bucket "clips"'],
  ])('with %d %s names the region', async (code, name, headers, expected) => {
    const { store } = await against(xml(code, name, headers));
    const { message, settled } = await troubleOf(store.put('a', 'x'));
    expect(message).toContain(`AWS_REGION: expected ${expected}`);
    expect(message).toContain('got "eu-west-1"; set AWS_REGION');
    expect(settled).toBe(true);
  });

  it('names the right that reads, lists or deletes, and what it was asked for', async () => {
    const { store } = await against(xml(403, 'AccessDenied'));
    const words = async (work: Promise<unknown>) => (await troubleOf(work)).message;
    expect(await words(store.get('a'))).toMatch(/\/a could not be read: .*s3:GetObject/);
    expect(await words(store.list('a/'))).toMatch(/\/a\/ could not be listed: .*s3:ListBucket/);
    expect(await words(store.delete('a'))).toMatch(/\/a could not be deleted: .*s3:DeleteObject/);
    expect(await words(store.putIfAbsent('a', 'x'))).toMatch(/could not be written: .*s3:PutObj/);
  });

  it('without a body, as to HEAD, is asked again for its reason', async () => {
    const { store } = await against(xml(400, ''), xml(400, 'ExpiredToken'));
    expect((await troubleOf(store.head('a'))).message).toContain('AWS_SESSION_TOKEN: expected');
  });

  it('and is no XML is told by its status', async () => {
    const { store } = await against((request, response) => {
      request.resume();
      response.writeHead(403, { 'content-type': 'text/html' }).end('<html><p>no</html>');
    });
    expect((await troubleOf(store.put('a', 'x'))).message).toContain('expected a user with s3:Put');
  });
});

describe('a store that is not well', () => {
  it('is asked again until it is', async () => {
    const { server } = await against(xml(503, 'SlowDown'), status(500), hangUp, ok());
    const store = await storeAt(server.url, { ...PATIENCE, repeat: 20_000 });
    await store.put('a', 'x');
    expect(server.requests).toHaveLength(4);
  });

  it.each([
    [503, 'SlowDown', /expected an answer, got "slow down" from http:.* at every try/],
    [503, 'ServiceUnavailable', /expected an answer of http:.*, got an error of its own/],
    [500, 'InternalError', /expected an answer of http:.*, got an error of its own/],
  ])('for longer (%d %s) is trouble that may pass', async (code, name, words) => {
    const { store, server } = await against(xml(code, name));
    const { message, settled } = await troubleOf(store.get('a'));
    expect(message).toMatch(words);
    expect(settled).toBe(false);
    expect(server.requests.length).toBeGreaterThan(1);
  });

  it('behind a gateway that answers in HTML is trouble that may pass', async () => {
    const { store } = await against((request, response) => {
      request.resume();
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html><p>bad gateway</html>');
    });
    const { message, settled } = await troubleOf(store.list(''));
    expect(message).toContain('got an error of its own');
    expect(settled).toBe(false);
  });

  it('and takes no connection is named', async () => {
    const [port = 0] = await freePorts('127.0.0.1', 1);
    const store = await storeAt(`http://127.0.0.1:${String(port)}`);
    for (const ask of asksOf(store)) {
      const { message, settled } = await troubleOf(ask());
      expect(message).toContain(
        `S3_ENDPOINT: expected a connection to http://127.0.0.1:${String(port)}, got none`,
      );
      expect(message).toContain('ECONNREFUSED');
      expect(settled).toBe(false);
    }
  });

  it('and has no address is named', async () => {
    const store = await storeAt('http://bucket.invalid');
    expect((await troubleOf(store.put('a', 'x'))).message).toMatch(
      /S3_ENDPOINT: expected a host that has an address, got none for http:\/\/bucket\.invalid; .*S3_FORCE_PATH_STYLE=true/,
    );
  });

  it('and takes connections but never answers is given up, and named', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const store = await storeAt(
      `http://127.0.0.1:${String((silent.address() as AddressInfo).port)}`,
    );
    for (const ask of asksOf(store)) {
      const { message, settled } = await troubleOf(ask());
      expect(message).toMatch(
        /S3_ENDPOINT: expected an answer of http:.* within seconds, got none/,
      );
      expect(settled).toBe(false);
    }
  });

  it('and stops in the middle of an object ends the reading of it', async () => {
    const { store } = await against((_request, response) => {
      response.writeHead(200, { etag: '"e"', 'content-length': '10' }).write('abc');
    });
    const { message } = await troubleOf(readText(store, 'a'));
    expect(message).toMatch(/^s3:\/\/clips\/p\/a could not be read: .*within seconds, got none/);
  });

  it('and hangs up in the middle of an object ends the reading of it', async () => {
    const { store } = await against((_request, response) => {
      response.writeHead(200, { etag: '"e"', 'content-length': '10' });
      response.write('abc', () => response.destroy());
    });
    expect((await troubleOf(readText(store, 'a'))).message).toContain('could not be read');
  });
});

describe('credentials', () => {
  it('that are nowhere are asked for by the names of their variables', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) {
      vi.stubEnv(name, undefined);
    }
    const { store, server } = await against(ok());
    const { message, settled } = await troubleOf(store.put('a', 'x'));
    expect(message).toMatch(
      /AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: expected credentials in .*, got none/,
    );
    expect(settled).toBe(true);
    expect(server.requests).toHaveLength(0);
  });
});

describe('a reader', () => {
  it('may pause for as long as it likes', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const text = 'x'.repeat(10_000_000);
    const { store } = await against(ok(text));
    const found = await store.get('a');
    const body = found?.body;
    await vi.waitFor(() => {
      expect(body?.readableLength).toBeGreaterThan(0);
    });
    await vi.waitFor(() => {
      vi.advanceTimersByTime(PATIENCE.idle);
      expect((body as unknown as { writableNeedDrain: boolean }).writableNeedDrain).toBe(true);
    });
    vi.advanceTimersByTime(PATIENCE.idle * 100);
    let bytes = 0;
    for await (const chunk of body ?? []) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(text.length);
  });
});

describe('a conditional write', () => {
  const notFree = xml(412, 'PreconditionFailed');
  /** As an object that the request of the number has written. */
  const objectOf =
    (server: () => { requests: { headers: Record<string, unknown> }[] }, number: number): Answer =>
    (_request, response) => {
      const id = String(server().requests[number]?.headers['x-amz-meta-write-id']);
      response.writeHead(200, { etag: '"e"', 'x-amz-meta-write-id': id }).end();
    };

  it('whose answer was lost is known to be this one by the object it left', async () => {
    const given = await against(
      hangUp,
      notFree,
      objectOf(() => given.server, 0),
      notFree,
    );
    expect(await given.store.putIfAbsent('a', 'x')).toBe(true);
    expect(given.server.requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'HEAD']);
  });

  it('whose answer was lost is not taken for one that another writer made of the same content', async () => {
    const given = await against(hangUp, notFree, (_request, response) => {
      response.writeHead(200, { etag: '"e"', 'x-amz-meta-write-id': 'of another' }).end();
    });
    expect(await given.store.putIfAbsent('a', 'x')).toBe(false);
  });

  it('that is refused at once costs one request', async () => {
    const { store, server } = await against(notFree);
    expect(await store.putIfAbsent('a', 'x')).toBe(false);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.headers).toMatchObject({ 'if-none-match': '*' });
  });

  it('that met another one is sent again', async () => {
    const conflict = xml(409, 'ConditionalRequestConflict');
    const { store, server } = await against(conflict, conflict, ok());
    expect(await store.putIfAbsent('a', 'x')).toBe(true);
    expect(server.requests).toHaveLength(3);
  });
});
