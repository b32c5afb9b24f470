/** Files that come as `data:` URLs. */
import fc from 'fast-check';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { download } from '../../../src/adapters/replicate/download-output.js';
import { decodeInline } from '../../../src/adapters/network/data-url.js';
import { testFolder } from '../../support/test-folder.js';

const MIB = 2 ** 20;
const percent = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString('hex').replace(/../g, '%$&');

const HEADERS = [
  'video/mp4',
  'video/mp4;codecs="avc1,mp4a"',
  'Video/MP4; codecs=avc1; name="a.mp4"',
  'application/octet-stream',
  '',
];

async function decoded(url: string): Promise<Buffer | string> {
  const answer = decodeInline(url, MIB);
  return answer.type === 'decoded'
    ? Buffer.from(await answer.response.arrayBuffer())
    : answer.message;
}

describe('a data: URL', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 2_000 });
  const header = fc.constantFrom(...HEADERS);

  it('gives its bytes, in base64 of either alphabet, with white space and escapes, with and without padding', async () => {
    const write = fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => text.replaceAll('=', ''),
      (text) => text.replaceAll('=', '%3D').replaceAll('+', '%2B'),
      (text) => text.replaceAll('+', '-').replaceAll('/', '_'),
      (text) => text.replaceAll(/.{60}/g, '$&\r\n'),
      (text) => text.replaceAll(/.{60}/g, '$&%0A'),
    );
    await fc.assert(
      fc.asyncProperty(bytes, header, write, async (content, type, as) => {
        const url = `data:${type};base64,${as(Buffer.from(content).toString('base64'))}`;
        expect(await decoded(url)).toEqual(Buffer.from(content));
      }),
    );
  });

  it('gives its bytes, percent-encoded', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, header, async (content, type) => {
        expect(await decoded(`data:${type},${percent(content)}`)).toEqual(Buffer.from(content));
      }),
    );
    expect(await decoded('data:video/mp4,a%20b%zz%4é')).toEqual(Buffer.from('a b%zz%4é'));
  });

  it('is refused before it is decoded when it must be too large, and after it when it is', async () => {
    expect(await decoded(`data:video/mp4;base64,${'A'.repeat(8 * MIB)}`)).toContain(
      'expected at most 1048576 bytes',
    );
    expect(await decoded(`data:video/mp4;base64,${'A'.repeat(1.5 * MIB)}`)).toContain(
      'the inline file has 1179648',
    );
    expect(await decoded(`data:video/mp4,${'A'.repeat(MIB)}`)).toHaveLength(MIB);
  });

  it.each([
    ['data:video/mp4;base64', 'a comma'],
    ['data:video/mp4;base64,', 'no bytes'],
    ['data:video/mp4,', 'no bytes'],
    ['data:video/mp4;base64,<html>', 'base64'],
  ])('%s is refused in words', async (url, word) => {
    expect(await decoded(url)).toContain(word);
  });

  it('of any text is decoded or refused, never an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(['decoded', 'refused']).toContain(decodeInline(`data:${text}`, MIB).type);
      }),
    );
  });
});

describe('a download of a data: URL', () => {
  let folder: string;
  beforeAll(() => {
    const own = testFolder('inline');
    folder = own.path;
    return own.remove;
  });

  const save = async (url: string, name: string) => {
    const target = path.join(folder, name);
    const result = await download(url, createWriteStream(target), {
      provider_origin: 'http://127.0.0.1:1',
      token: 'r8_x',
      signal: new AbortController().signal,
      max_bytes: 1_000,
    });
    return { result, target };
  };

  it('writes the file without a request', async () => {
    const content = Buffer.from('\0\0\0\x10ftypisom\0\0\0\0', 'latin1');
    const { result, target } = await save(
      `data:video/mp4;base64,${content.toString('base64')}`,
      'a',
    );
    expect(result).toMatchObject({ type: 'done', bytes: content.length });
    expect(await readFile(target)).toEqual(content);
  });

  it('that is not the file is final: a retry would read the same', async () => {
    const { result } = await save(`data:video/mp4,${'x'.repeat(1_001)}`, 'b');
    expect(result).toMatchObject({ type: 'failed', kind: 'output_lost', final: true });
  });
});
