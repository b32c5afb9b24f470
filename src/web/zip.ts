/**
 * A zip archive without compression (videos are compressed already), as APPNOTE 6.3.3 has it: local
 * headers with names in UTF-8, a central directory, an end record. Pure bytes in, bytes out.
 * It refuses what plain zip cannot hold: 65,535 files or 4 GiB.
 */

export interface ZipEntry {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const LIMIT = 0xffff_ffff;

/** The archive's parts in order, so that a Blob can be made of them without copying the videos. */
export function zipParts(entries: readonly ZipEntry[], at: Date): Uint8Array<ArrayBuffer>[] {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = new TextEncoder().encode(entry.name);
    const common = commonFields(entry, name, at);
    parts.push(record(0x0403_4b50, common), name, entry.bytes);
    directory.push(
      record(0x0201_4b50, [[2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]),
      name,
    );
    offset += 30 + name.length + entry.bytes.length;
  }
  const directorySize = sizeOf(directory);
  if (entries.length > 0xfffe || offset + directorySize > LIMIT) {
    throw new RangeError('These clips are too large for one zip file; download them one by one.');
  }
  return [...parts, ...directory, endRecord(entries.length, directorySize, offset)];
}

type Field = readonly [bytes: 2 | 4, value: number];

/** What local header and central directory share: version, flags (bit 11: UTF-8) … name and extra length. */
function commonFields(entry: ZipEntry, name: Uint8Array, at: Date): Field[] {
  const size = entry.bytes.length;
  return [
    [2, 20],
    [2, 0x0800],
    [2, 0],
    [2, (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1)],
    [2, (Math.max(0, at.getFullYear() - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate()],
    [4, crc32(entry.bytes)],
    [4, size],
    [4, size],
    [2, name.length],
    [2, 0],
  ];
}

const endRecord = (count: number, size: number, offset: number): Uint8Array<ArrayBuffer> =>
  record(0x0605_4b50, [
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, size],
    [4, offset],
    [2, 0],
  ]);

function record(signature: number, fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const all: Field[] = [[4, signature], ...fields];
  const bytes = new Uint8Array(all.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of all) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}

const sizeOf = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, part) => sum + part.length, 0);

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1)
    value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 as in zip, gzip and PNG. */
export function crc32(bytes: Uint8Array): number {
  let crc = LIMIT;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ LIMIT) >>> 0;
}
