/** ISO/IEC 14496-12 byte by byte: whole and hostile MP4s that no encoder would write. */

const u8 = (...values: number[]): Buffer => Buffer.from(values);
const u16 = (...values: number[]): Buffer =>
  Buffer.concat(values.map((value) => u8((value >>> 8) & 0xff, value & 0xff)));
export const u32 = (...values: number[]): Buffer =>
  Buffer.concat(values.map((value) => u16(Math.floor(value / 65_536), value % 65_536)));

type Part = Uint8Array | string;

const content = (parts: readonly Part[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  );

export function box(name: string, ...parts: Part[]): Buffer {
  const body = content(parts);
  return Buffer.concat([u32(body.length + 8), Buffer.from(name, 'latin1'), body]);
}

/** With version 0 and these flags. */
export const full = (name: string, flags: number, ...parts: Part[]): Buffer =>
  box(name, u32(flags), ...parts);

const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
const zeros = (bytes: number): Buffer => Buffer.alloc(bytes);

/** Baseline H.264; nothing decodes it here. */
const avcC = box(
  'avcC',
  u8(1, 0x42, 0xc0, 0x1e, 0xff, 0xe1),
  u16(4),
  u8(0x67, 0x42, 0xc0, 0x1e),
  u8(1),
  u16(2),
  u8(0x68, 0xce),
);

const avc1 = (width: number, height: number): Buffer =>
  box(
    'avc1',
    zeros(6),
    u16(1),
    zeros(16),
    u16(width, height),
    u32(0x480000, 0x480000, 0),
    u16(1),
    zeros(32),
    u16(24, 0xffff),
    avcC,
  );

interface TrackTables {
  stts?: Buffer;
  stsc?: Buffer;
  stsz?: Buffer;
  stco?: Buffer;
  more?: Buffer;
  size?: readonly [width: number, height: number];
}

/** A movie with one video track of 1,000 ticks a second; its tables are empty unless given. */
export function moov({
  stts = full('stts', 0, u32(0)),
  stsc = full('stsc', 0, u32(0)),
  stsz = full('stsz', 0, u32(0, 0)),
  stco = full('stco', 0, u32(0)),
  more = zeros(0),
  size: [width, height] = [640, 360],
}: TrackTables = {}): Buffer {
  const stbl = box(
    'stbl',
    full('stsd', 0, u32(1), avc1(width, height)),
    stts,
    stsc,
    stsz,
    stco,
    more,
  );
  const dinf = box('dinf', full('dref', 0, u32(1), full('url ', 1)));
  const minf = box('minf', full('vmhd', 1, zeros(8)), dinf, stbl);
  const hdlr = full('hdlr', 0, u32(0), 'vide', zeros(12), 'video\0');
  const mdhd = full('mdhd', 0, u32(0, 0, 1000, 5000), u16(0x55c4, 0));
  const tkhd = full(
    'tkhd',
    3,
    u32(0, 0, 1, 0, 5000),
    zeros(16),
    MATRIX,
    u32(width * 65_536, height * 65_536),
  );
  const mvhd = full(
    'mvhd',
    0,
    u32(0, 0, 1000, 5000, 0x10000),
    u16(0x100),
    zeros(10),
    MATRIX,
    zeros(24),
    u32(2),
  );
  const mvex = box('mvex', full('trex', 0, u32(1, 1, 1, 1, 0)));
  return box('moov', mvhd, box('trak', tkhd, box('mdia', mdhd, hdlr, minf)), mvex);
}

export const ftyp = box('ftyp', 'isom', u32(512), 'isomiso6avc1mp41');

/** A fragment whose `trun` says that it has so many samples; it describes none of them. */
export const fragment = (samples: number, ...more: Buffer[]): Buffer =>
  box(
    'moof',
    full('mfhd', 0, u32(1)),
    box(
      'traf',
      full('tfhd', 0x20000, u32(1)),
      full('tfdt', 0, u32(0)),
      full('trun', 0, u32(samples)),
      ...more,
    ),
  );
