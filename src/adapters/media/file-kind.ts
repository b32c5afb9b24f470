/**
 * The kind of a file, by its first bytes, whatever its name and content type are. It proves nothing else: whether a file is
 * whole is found out by decoding it.
 *
 * FILE-KIND-1 At most the first 4 KiB are read, in time that is linear in that length.
 * FILE-KIND-2 Any bytes have a kind; nothing throws.
 */
import { textKindOf } from './text-kind.js';
import type { FileFamily, FileKind } from './text-kind.js';

export type { FileFamily, FileKind } from './text-kind.js';

/** FILE-KIND-1 */
const HEAD = 4096;

type Test = (head: Buffer) => boolean;

const starts = (head: Buffer, text: string, at = 0): boolean =>
  head.subarray(at, at + text.length).equals(Buffer.from(text, 'latin1'));

const any =
  (...texts: readonly string[]): Test =>
  (head) =>
    texts.some((text) => starts(head, text));

const at =
  (offset: number, ...texts: readonly string[]): Test =>
  (head) =>
    texts.some((text) => starts(head, text, offset));

const riff =
  (...forms: readonly string[]): Test =>
  (head) =>
    any('RIFF', 'RIFX', 'RF64', 'BW64')(head) && at(8, ...forms)(head);

/** Brands of images of any coding. */
const GENERAL_IMAGE = ['mif1', 'mif2', 'mif3', 'msf1', 'miaf', 'MiPr', 'MiAn', '1pic', 'unif'];
const IMAGE_FORMATS = new Set(['avif', 'heic']);

/** Prefixes of brands; the first row that matches wins, the major brand first. */
const BRANDS: readonly (readonly [prefixes: readonly string[], name: string])[] = [
  [['avif', 'avis', 'avio', 'MA1A', 'MA1B'], 'avif'],
  [
    // ISO/IEC 23008-12: `hei*` and `hev*` are HEVC, the others picture codings of the same container.
    ['hei', 'hev', 'avci', 'avcs', 'jpeg', 'jpgs', 'j2ki', 'j2is', 'vvi', 'evb', 'MiHE'],
    'heic',
  ],
  [GENERAL_IMAGE, 'heic'],
  [['crx '], 'raw'],
  [['qt  '], 'mov'],
  [['3gp', '3g2', '3ge', '3gg', '3gs', '3gr'], '3gp'],
  [['M4A ', 'M4B ', 'M4P '], 'm4a'],
];

/** Boxes that QuickTime may have in front without an `ftyp`, and fragments of an MP4 always have. */
const MOVIE_BOXES = new Set(['moov', 'mdat', 'pnot']);
const FRAGMENT_BOXES = new Set(['styp', 'moof', 'sidx', 'prft']);
const FILLER_BOXES = new Set(['free', 'skip', 'wide', 'uuid']);

/** Larger than every box but `mdat`, and smaller than four printable characters read as a size. */
const LARGEST_BOX = 0x20000000;

/** ISO/IEC 14496-12 and QuickTime: the first box that says what the file is, behind any filler. */
function isoFormat(head: Buffer): string | null {
  for (let offset = 0; offset + 8 <= head.length;) {
    const size = head.readUInt32BE(offset);
    const box = head.toString('latin1', offset + 4, offset + 8);
    if (box === 'ftyp') return brandOf(head.subarray(offset, offset + Math.max(16, size)));
    if ((size !== 0 && size !== 1 && size < 8) || size >= LARGEST_BOX) return null;
    if (FRAGMENT_BOXES.has(box)) return 'mp4';
    if (MOVIE_BOXES.has(box)) return 'mov';
    if (!FILLER_BOXES.has(box)) return null;
    // A file that begins with filler is still a movie when the next box lies beyond the head.
    if (size < 8 || offset + size + 8 > head.length) return 'mov';
    offset += size;
  }
  return null;
}

function brandOf(box: Buffer): string {
  const brands = [box.toString('latin1', 8, 12)];
  for (let offset = 16; offset + 4 <= box.length; offset += 4) {
    brands.push(box.toString('latin1', offset, offset + 4));
  }
  const [major = ''] = brands;
  const of = (brand: string): string | undefined =>
    BRANDS.find(([prefixes]) => prefixes.some((prefix) => brand.startsWith(prefix)))?.[1];
  // A general brand, such as `mif1`, means an image, and the compatible brands name its coding. A brand that is not in the table
  // may be that of an image too: no video names an image brand as compatible.
  const isGeneral = of(major) === undefined || GENERAL_IMAGE.includes(major);
  const coded = isGeneral
    ? brands.find((brand) => IMAGE_FORMATS.has(of(brand) ?? '') && !GENERAL_IMAGE.includes(brand))
    : undefined;
  const general = brands.find((brand) => GENERAL_IMAGE.includes(brand));
  return of(coded ?? major) ?? of(general ?? '') ?? 'mp4';
}

const iso =
  (format: string): Test =>
  (head) =>
    isoFormat(head) === format;

/** RFC 8794: the element DocType (4282), with a size of one byte, names the format. */
const ebml =
  (docType: string): Test =>
  (head) => {
    if (!starts(head, '\x1aE\xdf\xa3')) return false;
    const found = head.indexOf(Buffer.from([0x42, 0x82]));
    return docType === '' || (found >= 0 && starts(head, docType, found + 3));
  };

/** One sync byte every 188 bytes; M2TS puts four bytes of time before each packet, DVB sixteen of checksum behind. */
const PACKETS: readonly (readonly [first: number, distance: number])[] = [
  [0, 188],
  [4, 192],
  [0, 204],
];
const transportStream: Test = (head) =>
  PACKETS.some(([first, distance]) => {
    let packets = 0;
    for (let offset = first; offset < head.length; offset += distance) {
      if (head[offset] !== 0x47) return false;
      packets += 1;
    }
    return packets >= 2;
  });

const ogg =
  (...codecs: readonly string[]): Test =>
  (head) =>
    starts(head, 'OggS') &&
    (codecs.length === 0 || codecs.some((codec) => head.includes(Buffer.from(codec, 'latin1'))));

/** Texts may start with `BM` too, but the header of a BMP has one of few sizes. */
const BMP_HEADERS = new Set([12, 16, 40, 52, 56, 64, 108, 124]);
const bmp: Test = (head) =>
  starts(head, 'BM') &&
  (head.length < 18 ? head.includes(0) : BMP_HEADERS.has(head.readUInt32LE(14)));

const icon: Test = (head) =>
  any('\0\0\x01\0', '\0\0\x02\0')(head) && head.length >= 6 && head.readUInt16LE(4) > 0;

/** Ten bits of sync, of layers 1 to 3 or of ADTS; UTF-16's mark FF FE is none of them. */
const mpegSound: Test = (head) =>
  any('\xff\xfb', '\xff\xfa', '\xff\xf3', '\xff\xf2', '\xff\xe3', '\xff\xf1', '\xff\xf9')(head);

/** A version follows the three letters; 9, 10, 12 and 13 are taken for white space of a text. */
const FLASH_VERSIONS = new Set([5, 6, 7, 8, 11, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
const flashFilm: Test = (head) =>
  any('FWS', 'CWS', 'ZWS')(head) && FLASH_VERSIONS.has(head[3] ?? 0);

type Row = readonly [family: FileFamily, format: string, name: string, test: Test];

/** The first match wins: longer and rarer marks stand before shorter ones. */
const KINDS: readonly Row[] = [
  ['empty', 'empty', 'an empty file', (head) => head.length === 0],
  ['image', 'jpeg', 'a JPEG image', any('\xff\xd8\xff')],
  ['image', 'png', 'a PNG image', any('\x89PNG\r\n\x1a\n')],
  ['image', 'gif', 'a GIF', any('GIF8')],
  ['image', 'webp', 'a WebP image', riff('WEBP')],
  ['image', 'avif', 'an AVIF image', iso('avif')],
  ['image', 'heic', 'a HEIC image', iso('heic')],
  ['image', 'raw', 'a raw camera image', iso('raw')],
  ['image', 'jpeg2000', 'a JPEG 2000 image', any('\0\0\0\x0cjP  ', '\xffO\xffQ')],
  ['image', 'jxl', 'a JPEG XL image', any('\0\0\0\x0cJXL ', '\xff\x0a')],
  ['image', 'tiff', 'a TIFF image', any('II*\0', 'MM\0*', 'II+\0', 'MM\0+')],
  ['image', 'jxr', 'a JPEG XR image', any('II\xbc')],
  ['image', 'bmp', 'a BMP image', bmp],
  ['image', 'ico', 'an icon', icon],
  ['image', 'psd', 'a Photoshop file', any('8BPS\0')],
  ['image', 'exr', 'an OpenEXR image', any('v/1\x01')],
  ['image', 'hdr', 'a Radiance image', any('#?RADIANCE', '#?RGBE')],
  ['image', 'dds', 'a DDS image', any('DDS |\0')],
  ['image', 'qoi', 'a QOI image', any('qoif\0')],
  ['image', 'icns', 'an icon', any('icns\0')],
  ['image', 'mng', 'an MNG image', any('\x8aMNG', '\x8bJNG')],
  ['image', 'pnm', 'a PNM image', (head) => isPortablePixmap(head)],
  ['audio', 'm4a', 'an M4A sound', iso('m4a')],
  ['video', '3gp', 'a 3GP video', iso('3gp')],
  ['video', 'mov', 'a QuickTime video', iso('mov')],
  ['video', 'mp4', 'an MP4 video', iso('mp4')],
  ['video', 'webm', 'a WebM video', ebml('webm')],
  ['video', 'matroska', 'a Matroska video', ebml('')],
  ['video', 'avi', 'an AVI video', riff('AVI ', 'AVIX', 'AMV ')],
  ['video', 'mpeg', 'an MPEG video', any('\0\0\x01\xba', '\0\0\x01\xb3')],
  [
    'video',
    'h264',
    'a bare H.264 or H.265 stream',
    any('\0\0\0\x01\x67', '\0\0\0\x01\x09', '\0\0\0\x01\x40'),
  ],
  ['video', 'flv', 'a Flash video', any('FLV\x01')],
  ['video', 'swf', 'a Flash film', flashFilm],
  ['video', 'asf', 'a Windows Media video', any('0&\xb2u\x8ef\xcf\x11')],
  ['video', 'ivf', 'an IVF video', any('DKIF\0')],
  ['video', 'y4m', 'an uncompressed video', any('YUV4MPEG2')],
  ['video', 'mxf', 'an MXF video', any('\x06\x0e+4\x02\x05\x01\x01')],
  ['video', 'realmedia', 'a RealMedia video', any('.RMF\0')],
  ['video', 'ogv', 'an Ogg video', ogg('\x80theora', 'BBCD', 'OVP80', '\x01video')],
  ['audio', 'ogg', 'an Ogg sound', ogg()],
  ['audio', 'wav', 'a WAV sound', riff('WAVE')],
  ['audio', 'flac', 'a FLAC sound', any('fLaC\0', 'fLaC\x80')],
  ['audio', 'aiff', 'an AIFF sound', (head) => starts(head, 'FORM') && at(8, 'AIF')(head)],
  ['audio', 'midi', 'a MIDI file', any('MThd\0')],
  ['audio', 'amr', 'an AMR sound', any('#!AMR')],
  ['audio', 'mp3', 'an MP3 sound', any('ID3\x02', 'ID3\x03', 'ID3\x04')],
  ['audio', 'mp3', 'an MP3 or AAC sound', mpegSound],
  ['archive', 'zip', 'a ZIP archive', any('PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08')],
  ['archive', 'gzip', 'a gzip file', any('\x1f\x8b')],
  ['archive', 'zstd', 'a Zstandard file', any('(\xb5/\xfd')],
  ['archive', 'xz', 'an XZ file', any('\xfd7zXZ\0')],
  [
    'archive',
    'bzip2',
    'a bzip2 file',
    (head) => starts(head, 'BZh') && at(4, '1AY&SY', '\x17rE8P\x90')(head),
  ],
  ['archive', '7z', 'a 7z archive', any("7z\xbc\xaf'\x1c")],
  ['archive', 'rar', 'a RAR archive', any('Rar!\x1a\x07')],
  ['archive', 'lz4', 'an LZ4 file', any('\x04"M\x18')],
  ['archive', 'tar', 'a tar archive', at(257, 'ustar')],
  ['document', 'pdf', 'a PDF', any('%PDF-')],
  ['document', 'postscript', 'a PostScript file', any('%!PS', '\xc5\xd0\xd3\xc6')],
  ['document', 'rtf', 'an RTF document', any('{\\rtf')],
  ['document', 'office', 'an Office document', any('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')],
  ['video', 'mpegts', 'an MPEG transport stream', transportStream],
];

/** Netpbm: `P1` to `P7` on a line of its own. */
function isPortablePixmap(head: Buffer): boolean {
  const [p, digit = 0, line] = head;
  return p === 0x50 && digit >= 0x31 && digit <= 0x37 && line === 0x0a;
}

const UNKNOWN: FileKind = { name: 'something else', family: 'unknown', format: 'unknown' };

/** The kind of a file of which these bytes, or more, are the beginning. */
export function kindOf(bytes: Uint8Array): FileKind {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, HEAD));
  const row = KINDS.find(([, , , test]) => test(head));
  if (row !== undefined) return { family: row[0], format: row[1], name: row[2] };
  return textKindOf(head) ?? UNKNOWN;
}
