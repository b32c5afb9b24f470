/** Event streams as the HTML standard has them, from text cut anywhere. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSseParser } from '../../src/client/sse-parser.js';

const STREAMS = [
  {
    text: ': hello\n\nevent: snapshot\ndata: {"a":1}\n\nid: 7\r\nevent: clip.started\r\ndata: {"b":\r\ndata: 2}\r\n\r\nevent: empty\n\n',
    frames: [
      { event: 'snapshot', id: null, data: '{"a":1}' },
      { event: 'clip.started', id: '7', data: '{"b":\n2}' },
    ],
  },
  {
    text: ': hello\r\n\r\nevent: a\nid: 1\ndata: one\ndata: two\n\ndata:bare\r\rid\nevent: x\n\nretry: 5\ndata: ü\r\n\r\n',
    frames: [
      { event: 'a', id: '1', data: 'one\ntwo' },
      { event: 'message', id: null, data: 'bare' },
      { event: 'message', id: null, data: 'ü' },
    ],
  },
  { text: 'id: 1\ndata: cut o', frames: [] },
];

describe('the text of an event stream', () => {
  it.each(STREAMS)('means the same however it is cut into pieces: $text', ({ text, frames }) => {
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const parser = createSseParser();
        const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const pieces = places.map((from, index) => text.slice(from, places[index + 1]));
        expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(frames);
      }),
    );
  });
});

describe('a frame without an end', () => {
  it('is refused before it fills the memory, in one line or in many', () => {
    for (const piece of ['data: x', 'data: x\n', ': \n']) {
      const parser = createSseParser(1_000);
      expect(() => {
        for (let index = 0; index < 1_000; index++) parser.push(piece);
      }).toThrow(RangeError);
    }
    const parser = createSseParser(1_000);
    for (let index = 0; index < 1_000; index++) {
      expect(parser.push('data: x\n\n')).toHaveLength(1);
    }
  });
});
