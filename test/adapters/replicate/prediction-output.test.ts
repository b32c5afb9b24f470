/** Where in an output the video is, in each shape that a model answers in. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findOutput,
  INLINE_URL,
  isInline,
  sketch,
} from '../../../src/adapters/replicate/prediction-output.js';
import { parsePrediction } from '../../../src/adapters/replicate/parse-prediction.js';

const VIDEO = 'https://replicate.delivery/xezq/abc/out.mp4';
const BARE = 'https://replicate.delivery/xezq/abc/output?sig=a.png';
const INLINE = 'data:video/mp4;base64,AAAA';
const file = (url: string) => ({ type: 'file', url });

describe('the video of an output', () => {
  it.each([
    ['a URL', VIDEO],
    ['a URL among white space', ` ${VIDEO}\n`],
    ['a list', [VIDEO]],
    ['a list in a list', [[[VIDEO]]]],
    ['an object with a file', { file: VIDEO }],
    ['an object with a word of its own', { rendered_clip: VIDEO }],
    ['an object with an object', { video: { url: VIDEO, content_type: 'video/mp4' } }],
    ['an object with a list of objects', { videos: [{ uri: VIDEO }] }],
    ['sources', { sources: [{ src: 'https://replicate.delivery/x.jpg' }, { src: VIDEO }] }],
    ['after pictures and sound', ['https://a.b/x.png', 'https://a.b/x.mp3', null, '', VIDEO]],
    ['behind a thumbnail', { thumbnail: 'https://a.b/x', url: VIDEO }],
    ['behind a preview that is a video', { preview: 'https://a.b/p.mp4', result: VIDEO }],
    ['behind the echo of an input', { input: { video: 'https://a.b/in.mp4' }, output: VIDEO }],
    ['behind a bare address', { href: 'https://a.b/page', download: VIDEO }],
    ['behind texts and figures', { seed: 4, text: 'a heron', ok: true, data: [{ link: VIDEO }] }],
    ['behind an inline one', [INLINE, VIDEO]],
    ['under a key in capitals', { THUMB: 'https://a.b/x', VIDEO }],
  ])('is found: %s', (_shape, output) => {
    expect(findOutput(output)).toEqual(file(VIDEO));
  });

  it.each(['mp4', 'webm', 'mov', 'm4v', 'mkv', 'avi', 'mpeg', 'MP4'])(
    'is told from its picture by its extension, .%s',
    (extension) => {
      const url = `https://replicate.delivery/a/b.${extension}?token=1#t=2`;
      expect(findOutput(['https://replicate.delivery/a/b', url])).toEqual(file(url));
    },
  );

  it.each(['video', 'url', 'file', 'output', 'uri', 'href', 'src', 'urls', 'whatever'])(
    'needs no extension under "%s"',
    (key) => {
      expect(findOutput({ [key]: BARE })).toEqual(file(BARE));
      expect(findOutput({ [key]: [BARE] })).toEqual(file(BARE));
    },
  );

  it.each([
    INLINE,
    'data:video/webm;codecs="vp9,opus";base64,AAAA',
    'DATA:Video/MP4;name=x.mp4,%00%00',
    'data:application/octet-stream;base64,AAAA',
    'data:;base64,AAAA',
  ])('is inline: %s', (data) => {
    for (const output of [data, [data], { file: data }, { out: [{ uri: data }] }]) {
      expect(findOutput(output)).toEqual({ type: 'inline', data });
    }
  });

  it.each([
    null,
    undefined,
    '',
    ' \n',
    [],
    {},
    [null],
    [''],
    { video: null },
    { videos: [{ url: '' }, [null, {}]] },
  ])('is not there: %j', (output) => {
    expect(findOutput(output)).toEqual({ type: 'empty' });
  });

  it.each([
    'The video was sent to your inbox.',
    'https://a.b/x.png',
    ['https://a.b/x.png', 'https://a.b/x.json'],
    { thumbnail: 'https://a.b/thumb' },
    { image: { url: 'https://a.b/thumb' } },
    'data:image/png;base64,AAAA',
    'data:text/plain,hello',
    'data:,hello',
    'file:///etc/passwd',
    'gs://bucket/x.mp4',
    'javascript:alert(1)',
    `https://a.b/${'x'.repeat(20_000)}.mp4`,
    42,
    true,
    { frames: 120 },
    [0],
  ])('is in no shape that is known: %j', (output) => {
    expect(findOutput(output)).toMatchObject({ type: 'odd' });
  });
});

/** JSON of any shape, with addresses and empty things in it. */
const anyOutput = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(null, '', VIDEO, BARE, INLINE, 'https://a.b/x.png', 4, true),
    fc.jsonValue(),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value')),
    fc.dictionary(fc.string(), tie('value')),
    fc.dictionary(fc.constantFrom('video', 'url', 'file', 'thumbnail', '__proto__'), tie('value')),
  ),
})).value;

describe('any output', () => {
  it('is read without an error, and answered with an address, a file, nothing, or what came', () => {
    fc.assert(
      fc.property(anyOutput, (output) => {
        const found = findOutput(output);
        if (found.type === 'file') expect(new URL(found.url).protocol).toMatch(/^https?:$/);
        if (found.type === 'inline') expect(isInline(found.data)).toBe(true);
        if (found.type === 'odd') expect(found.says).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
        if (found.type === 'odd') expect(found.says.length).toBeLessThan(400);
      }),
      { numRuns: 500 },
    );
  });

  it('is empty exactly where no text, figure or word stands in it', () => {
    const empty = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<unknown>(null, '', ' '),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(empty, (output) => {
        fc.pre(depthOf(output) < 8);
        expect(findOutput(output)).toEqual({ type: 'empty' });
      }),
    );
  });

  it('gives its video away at any place a few levels deep', () => {
    const keys = fc.constantFrom<string | null>(null, 'video', 'data', 'result', 'x', 'output');
    fc.assert(
      fc.property(
        fc.array(keys, { maxLength: 6 }),
        fc.jsonValue({ maxDepth: 1 }),
        (path, other) => {
          const wrap = (inner: unknown, key: string | null): unknown =>
            key === null ? [other, inner] : { note: other, [key]: inner };
          expect(findOutput(path.reduce<unknown>(wrap, VIDEO))).toEqual(file(VIDEO));
        },
      ),
    );
  });

  it('is looked at in part where it is endless, and never taken for empty then', () => {
    const wide = Array.from({ length: 300_000 }, () => null);
    expect(findOutput(wide)).toMatchObject({ type: 'odd' });
    let deep: unknown = VIDEO;
    for (let depth = 0; depth < 5_000; depth++) deep = [deep];
    expect(findOutput(deep)).toMatchObject({ type: 'odd' });
    expect(findOutput({ a: wide, video: VIDEO })).toEqual(file(VIDEO));
  });
});

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0;

describe('what is told of an output', () => {
  it('shows what came, cut and cleaned', () => {
    expect(sketch({ frames: 120, note: 'a\u001b[31mb\u0000\u202ec', long: 'x'.repeat(500) })).toBe(
      `{"frames":120,"note":"a [31mb  c","long":"${'x'.repeat(80)}…"}`,
    );
    expect(sketch([1, 2, 3, 4, 5, 6, 7])).toBe('[1,2,3,4,5,6,"…"]');
  });

  it('has nothing of the contents of a file', () => {
    const secret = Buffer.from('the pixels').toString('base64');
    const told = sketch({ thumbnail: `data:image/png;base64,${secret}` });
    expect(told).toContain('data:image/png;base64');
    expect(told).not.toContain(secret);
  });
});

describe('a prediction that holds its file', () => {
  it('has a marker for an address: the file itself stays out of what is handed on', () => {
    const data = `data:video/mp4;base64,${'A'.repeat(4_000_000)}`;
    const prediction = parsePrediction(
      { id: 'p', status: 'succeeded', output: { video: data } },
      Date.now(),
    );
    expect(prediction?.output_url).toBe(INLINE_URL);
    expect(prediction?.output).toEqual({ type: 'inline', data });
  });
});

describe('a run time', () => {
  it.each([
    [{ metrics: { predict_time: 12.5 } }, 12.5],
    [{ metrics: { predict_time: 0 } }, 0],
    [{ metrics: { predict_time: -1 } }, null],
    [{ metrics: { predict_time: '12.5' } }, null],
    [{ metrics: { predict_time: null } }, null],
    [{ metrics: {} }, null],
    [{ metrics: null }, null],
    [{ metrics: [] }, null],
    [{}, null],
  ])('of %j is %s', (body, seconds) => {
    expect(parsePrediction({ id: 'p', status: 'succeeded', ...body }, 0)?.predict_time).toBe(
      seconds,
    );
  });
});
