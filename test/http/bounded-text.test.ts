/** The bounded text of answers, also of endless and broken ones. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { boundedText, TooLong } from '../../src/http/bounded-text.js';
import { createReplicate } from '../../src/adapters/replicate/replicate-client.js';

/** Of two chunks: with a wrong coding, the reading of the second one never ends. */
const BODY = Buffer.from('[1,2,3]'.padEnd(100_000));

/** Answers each request with these headers and bytes. */
async function answering(headers: readonly string[], body: Uint8Array): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      const head = [
        'HTTP/1.1 200 OK',
        `content-length: ${String(body.length)}`,
        'connection: close',
        ...headers,
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      socket.end(body);
    });
    onTestFinished(() => {
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`;
}

const FALSE_GZIP = ['content-encoding: gzip'];

describe('an answer', () => {
  it('is read whole, coded or not', async () => {
    for (const [headers, bytes] of [
      [[], BODY],
      [FALSE_GZIP, gzipSync(BODY)],
    ] as const) {
      const response = await fetch(await answering(headers, bytes));
      expect(await boundedText(response)).toBe(BODY.toString());
    }
  });

  it('that is longer than its reader takes is not read to its end', async () => {
    const response = await fetch(await answering([], BODY));
    await expect(boundedText(response, { most: 1_000 })).rejects.toBeInstanceOf(TooLong);
  });

  it('that claims to be gzip and is not ends with its signal, which does not end its body', async () => {
    const late = new AbortController();
    const response = await fetch(await answering(FALSE_GZIP, BODY), { signal: late.signal });
    const read = boundedText(response, { signal: late.signal });
    late.abort(new Error('late'));
    await expect(read).rejects.toThrow();
  });
});

it('a create whose answer claims to be gzip and is not is unclear, in time', async () => {
  const base_url = await answering(FALSE_GZIP, BODY);
  const replicate = createReplicate({ token: 'r8_x', base_url, timeout: 200 });
  const create = { model: 'a/b', version: null, input: {}, cancel_after: 60, webhook: null };
  expect(await replicate.create(create)).toMatchObject({ type: 'unclear' });
});
