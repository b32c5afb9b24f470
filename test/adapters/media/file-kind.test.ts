/** What a file is called by its bytes: every family of the table, what only looks like it, and bytes that are made to hurt. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kindOf } from '../../../src/adapters/media/file-kind.js';
import type { FileFamily } from '../../../src/adapters/media/file-kind.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const number32 = (value: number): Buffer => {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(value);
  return four;
};
const box = (name: string, content: Uint8Array | string = '', size?: number): Buffer => {
  const body = typeof content === 'string' ? bytes(content) : Buffer.from(content);
  return Buffer.concat([number32(size ?? body.length + 8), bytes(name), body]);
};
const ftyp = (major: string, ...compatible: string[]): Buffer =>
  box('ftyp', Buffer.concat([bytes(major), number32(512), bytes(compatible.join(''))]));
const packets = (count: number, distance: number, first = 0): Buffer => {
  const stream = Buffer.alloc(first + count * distance, 0xab);
  for (let at = first; at < stream.length; at += distance) stream[at] = 0x47;
  return stream;
};
const webm = (docType: string): Buffer =>
  Buffer.concat([
    bytes('\x1aE\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82'),
    Buffer.from([0x80 + docType.length]),
    bytes(docType),
  ]);

const TABLE: readonly (readonly [
  what: string,
  file: Buffer,
  FileFamily,
  format: string,
  name: string,
])[] = [
  ['no byte', Buffer.alloc(0), 'empty', 'empty', 'an empty file'],
  ['ftyp isom', ftyp('isom', 'iso2', 'avc1', 'mp41'), 'video', 'mp4', 'an MP4 video'],
  ['ftyp mp42', ftyp('mp42', 'qt  '), 'video', 'mp4', 'an MP4 video'],
  ['ftyp M4V', ftyp('M4V '), 'video', 'mp4', 'an MP4 video'],
  ['ftyp of a brand yet to come', ftyp('zzzz'), 'video', 'mp4', 'an MP4 video'],
  ['ftyp dash, cut after its brand', ftyp('dash').subarray(0, 12), 'video', 'mp4', 'an MP4 video'],
  ['a fragment with styp', box('styp', 'msdh'), 'video', 'mp4', 'an MP4 video'],
  ['a fragment with moof', box('moof', 'xxxx', 900), 'video', 'mp4', 'an MP4 video'],
  [
    'ftyp behind filler',
    Buffer.concat([box('free', 'xxxx'), ftyp('isom')]),
    'video',
    'mp4',
    'an MP4 video',
  ],
  ['ftyp qt', ftyp('qt  ', 'qt  '), 'video', 'mov', 'a QuickTime video'],
  ['moov first', box('moov', 'xxxxmvhd'), 'video', 'mov', 'a QuickTime video'],
  ['mdat first', box('mdat', '', 4_000_000), 'video', 'mov', 'a QuickTime video'],
  ['mdat of 64 bits first', box('mdat', '', 1), 'video', 'mov', 'a QuickTime video'],
  [
    'wide, then mdat',
    Buffer.concat([box('wide'), box('mdat', '', 99_999)]),
    'video',
    'mov',
    'a QuickTime video',
  ],
  ['free, longer than the head', box('free', '', 70_000), 'video', 'mov', 'a QuickTime video'],
  ['ftyp 3gp4', ftyp('3gp4'), 'video', '3gp', 'a 3GP video'],
  ['ftyp 3g2a', ftyp('3g2a'), 'video', '3gp', 'a 3GP video'],
  ['ftyp M4A', ftyp('M4A '), 'audio', 'm4a', 'an M4A sound'],
  ['ftyp avif', ftyp('avif', 'mif1'), 'image', 'avif', 'an AVIF image'],
  ['ftyp mif1 with avif', ftyp('mif1', 'avif'), 'image', 'avif', 'an AVIF image'],
  ['ftyp avis', ftyp('avis'), 'image', 'avif', 'an AVIF image'],
  ['ftyp heic', ftyp('heic', 'mif1'), 'image', 'heic', 'a HEIC image'],
  ['ftyp mif1', ftyp('mif1', 'heic'), 'image', 'heic', 'a HEIC image'],
  ['ftyp hevc', ftyp('hevc', 'msf1'), 'image', 'heic', 'a HEIC image'],
  ['ftyp crx', ftyp('crx ', 'isom'), 'image', 'raw', 'a raw camera image'],
  ['EBML webm', webm('webm'), 'video', 'webm', 'a WebM video'],
  ['EBML matroska', webm('matroska'), 'video', 'matroska', 'a Matroska video'],
  ['EBML without a type', bytes('\x1aE\xdf\xa3'), 'video', 'matroska', 'a Matroska video'],
  ['RIFF AVI', bytes('RIFF\x10\0\0\0AVI LIST'), 'video', 'avi', 'an AVI video'],
  ['RIFF WEBP', bytes('RIFF\x10\0\0\0WEBPVP8 '), 'image', 'webp', 'a WebP image'],
  ['RIFF WAVE', bytes('RIFF\x10\0\0\0WAVEfmt '), 'audio', 'wav', 'a WAV sound'],
  ['MPEG-TS', packets(3, 188), 'video', 'mpegts', 'an MPEG transport stream'],
  ['M2TS', packets(3, 192, 4), 'video', 'mpegts', 'an MPEG transport stream'],
  ['MPEG-PS', bytes('\0\0\x01\xba\x44'), 'video', 'mpeg', 'an MPEG video'],
  ['MPEG-1', bytes('\0\0\x01\xb3\x14'), 'video', 'mpeg', 'an MPEG video'],
  ['H.264', bytes('\0\0\0\x01\x67\x64'), 'video', 'h264', 'a bare H.264 or H.265 stream'],
  [
    'Ogg Theora',
    bytes('OggS\0\x02' + '\0'.repeat(22) + '\x80theora'),
    'video',
    'ogv',
    'an Ogg video',
  ],
  ['Ogg Opus', bytes('OggS\0\x02' + '\0'.repeat(22) + 'OpusHead'), 'audio', 'ogg', 'an Ogg sound'],
  ['FLV', bytes('FLV\x01\x05'), 'video', 'flv', 'a Flash video'],
  ['ASF', bytes('0&\xb2u\x8ef\xcf\x11\xa6\xd9'), 'video', 'asf', 'a Windows Media video'],
  ['GIF87a', bytes('GIF87a'), 'image', 'gif', 'a GIF'],
  ['GIF89a', bytes('GIF89a'), 'image', 'gif', 'a GIF'],
  ['PNG', bytes('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), 'image', 'png', 'a PNG image'],
  ['JPEG', bytes('\xff\xd8\xff\xe0'), 'image', 'jpeg', 'a JPEG image'],
  ['BMP', bytes('BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0'), 'image', 'bmp', 'a BMP image'],
  ['TIFF, little-endian', bytes('II*\0\x08'), 'image', 'tiff', 'a TIFF image'],
  ['TIFF, big-endian', bytes('MM\0*\0'), 'image', 'tiff', 'a TIFF image'],
  ['BigTIFF', bytes('MM\0+\0'), 'image', 'tiff', 'a TIFF image'],
  ['JPEG XL', bytes('\0\0\0\x0cJXL \r\n\x87\n'), 'image', 'jxl', 'a JPEG XL image'],
  ['JPEG 2000', bytes('\0\0\0\x0cjP  \r\n\x87\n'), 'image', 'jpeg2000', 'a JPEG 2000 image'],
  ['an icon', bytes('\0\0\x01\0\x02\0'), 'image', 'ico', 'an icon'],
  ['MP3 with tags', bytes('ID3\x04\0'), 'audio', 'mp3', 'an MP3 sound'],
  ['FLAC', bytes('fLaC\0'), 'audio', 'flac', 'a FLAC sound'],
  ['PDF', bytes('%PDF-1.7\n%\xe2\xe3\xcf\xd3'), 'document', 'pdf', 'a PDF'],
  ['ZIP', bytes('PK\x03\x04\x14'), 'archive', 'zip', 'a ZIP archive'],
  ['an empty ZIP', bytes('PK\x05\x06\0'), 'archive', 'zip', 'a ZIP archive'],
  ['gzip', bytes('\x1f\x8b\x08\0'), 'archive', 'gzip', 'a gzip file'],
  ['Zstandard', bytes('(\xb5/\xfd\x04'), 'archive', 'zstd', 'a Zstandard file'],
  [
    'tar',
    Buffer.concat([Buffer.alloc(257, 0x61), bytes('ustar\x0000')]),
    'archive',
    'tar',
    'a tar archive',
  ],
  ['HTML', bytes('<!doctype html><title>Just a moment...</title>'), 'text', 'html', 'an HTML page'],
  [
    'HTML behind space, a mark and a comment',
    bytes('\xef\xbb\xbf\n <!-- x --><HTML lang=en>'),
    'text',
    'html',
    'an HTML page',
  ],
  ['HTML in another encoding', bytes('<html><p>caf\xe9'), 'text', 'html', 'an HTML page'],
  ['HTML in UTF-16', Buffer.from('\ufeff<html>', 'utf16le'), 'text', 'html', 'an HTML page'],
  [
    'XHTML',
    bytes('<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html>'),
    'text',
    'html',
    'an HTML page',
  ],
  [
    'XML',
    bytes('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
    'text',
    'xml',
    'an XML document',
  ],
  [
    'XML without a declaration',
    bytes('<Error><Code>NoSuchKey</Code></Error>'),
    'text',
    'xml',
    'an XML document',
  ],
  ['SVG', bytes('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image', 'svg', 'an SVG image'],
  [
    'SVG with all that may come first',
    bytes(
      '<?xml version="1.0"?>\n<!-- a -->\n<!DOCTYPE svg [ <!ENTITY a "b"> ]>\n<!-- > --><svg:svg>',
    ),
    'image',
    'svg',
    'an SVG image',
  ],
  [
    'SVG in UTF-16 without a mark',
    Buffer.from('<?xml version="1.0"?><svg/>', 'utf16le'),
    'image',
    'svg',
    'an SVG image',
  ],
  [
    'SVG in UTF-16, big-endian',
    Buffer.from('\ufeff<!-- a --><svg/>', 'utf16le').swap16(),
    'image',
    'svg',
    'an SVG image',
  ],
  [
    'SVG whose doctype does not end',
    bytes('<?xml version="1.0"?><!DOCTYPE svg [ <!ENTITY a "b">'),
    'image',
    'svg',
    'an SVG image',
  ],
  ['comments and nothing else', bytes('<!---->'.repeat(146)), 'text', 'xml', 'an XML document'],
  ['SVG behind comments', bytes('<!---->'.repeat(146) + '<svg'), 'image', 'svg', 'an SVG image'],
  ['a JSON object', bytes(' { "detail": "gone" }'), 'text', 'json', 'JSON'],
  ['an empty JSON list', bytes('[]'), 'text', 'json', 'JSON'],
  ['a list of figures', bytes('[\n  -1.5, 2]'), 'text', 'json', 'JSON'],
  ['a playlist', bytes('#EXTM3U\n#EXT-X-VERSION:3'), 'text', 'm3u8', 'a playlist'],
  [
    'words',
    bytes('upstream connect error or disconnect/reset before headers'),
    'text',
    'text',
    'a text file',
  ],
  [
    'words cut within a character',
    Buffer.from('naïve — 東京').subarray(0, -1),
    'text',
    'text',
    'a text file',
  ],
  ['zeros', Buffer.alloc(5000), 'unknown', 'unknown', 'something else'],
  ['noise', bytes('\x93\x01\xfe\x00\x81\x7f'), 'unknown', 'unknown', 'something else'],
];

/** Texts that begin like something else. */
const FALSE_FRIENDS = [
  'BMW stopped answering the request for the file',
  'Get free credits for your account now',
  'Go on, nothing is to be seen here at all. '.repeat(20),
  'ID3 tags are missing',
  'DDS is not available',
  'FWS is short for something',
  'P6 7 8 9 are the tests that failed',
  'icns, qoif and fLaC are formats',
  'the PDF begins with %PDF-1.7',
  '[error] upstream prematurely closed connection',
  '{name} could not be found',
  'RIFF, said the guitar',
  'MThd, DKIF, 8BPS',
];

/** Every brand that says a picture, ISO/IEC 23008-12 and AV1 Image File Format. */
const PICTURE_BRANDS = [
  ...['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'mif2', 'msf1'],
  ...[
    'miaf',
    'avif',
    'avis',
    'avio',
    'MA1A',
    'MA1B',
    'MiHE',
    'MiPr',
    'avci',
    'jpeg',
    'j2ki',
    'vvic',
  ],
];

describe('the kind of a file', () => {
  it.each(PICTURE_BRANDS)('is a picture with the brand %s, first or among the others', (brand) => {
    for (const file of [
      ftyp(brand),
      ftyp(brand, 'isom', 'mp42'),
      ftyp('zzzz', 'mp41', brand),
      ftyp('mif1', brand, 'miaf'),
      Buffer.concat([box('free', 'xxxx'), ftyp(brand, brand)]),
      ftyp(brand).subarray(0, 12),
    ]) {
      expect(kindOf(file).family).toBe('image');
    }
  });

  it.each(TABLE)('is found by its bytes: %s', (_what, file, family, format, name) => {
    expect(kindOf(file)).toEqual({ family, format, name });
  });

  it.each(TABLE.filter(([, file]) => file.length > 0))(
    'does not depend on what follows its head, nor on where the bytes lie in memory: %s',
    (_what, file, family) => {
      const [, , , format] = TABLE.find((row) => row[1] === file) ?? [];
      // The kind of texts and streams of packets repeats after their beginning.
      if (family === 'text' || family === 'unknown' || format === 'mpegts') return;
      const longer = Buffer.concat([bytes('junk'), file, Buffer.alloc(9000, 0x07)]).subarray(4);
      expect(kindOf(new Uint8Array(longer)).format).toBe(format);
      expect(kindOf(longer).format).toBe(format);
    },
  );

  it.each(FALSE_FRIENDS)(
    'is a text when it is one, even when it starts like a file format: %j',
    (text) => {
      expect(kindOf(Buffer.from(text))).toMatchObject({ family: 'text', format: 'text' });
    },
  );

  it('is found for any bytes, also after the start of any kind', () => {
    const prefix = fc.constantFrom(...TABLE.map(([, file]) => file));
    fc.assert(
      fc.property(prefix, fc.nat(80), fc.uint8Array({ maxLength: 5000 }), (file, cut, tail) => {
        const kind = kindOf(Buffer.concat([file.subarray(0, cut), tail]));
        expect(kind.name).not.toBe('');
        expect(kind.format).toMatch(/^[a-z0-9]+$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('is found by looking at 4 KiB, however long and however hostile the file is', () => {
    const hostile = [
      '<!---->',
      '<!-- ',
      '<?x?>',
      '<!a>',
      '<!a[',
      '<',
      ' ',
      '{ ',
      '[',
      '\0\0\0\x08free',
      '\x42\x82',
      'OggS',
    ];
    for (const piece of hostile) {
      for (const beginning of ['', '<?xml?>', '\x1aE\xdf\xa3', 'OggS', '\0\0\0\x08wide']) {
        const file = bytes(beginning + piece.repeat(Math.ceil(2 ** 20 / piece.length)));
        expect(kindOf(file)).toEqual(kindOf(file.subarray(0, 4096)));
      }
    }
  });
});
