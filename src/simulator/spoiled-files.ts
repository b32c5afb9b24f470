/** The ways in which a download can be anything but the file, one function a way. */
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { FastifyReply } from 'fastify';
import { box, fragment, ftyp, moov } from './clip/boxes.js';
import type { ClipFile } from './clip/clip-store.js';
import type { FileEffect } from './effects.js';
import { SIMULATOR_HEADER, cut, pause, type Exchange } from './exchange.js';

const VIDEO = 'video/mp4';
const TEN_GIGABYTES = 10 * 1024 ** 3;
const CHUNKS = 20;
/** An EBML header with the document type `webm`, and an empty segment. */
const WEBM = Buffer.from(
  '1a45dfa3934286810142f7810142f28104428284' + '7765626d' + '1853806780',
  'hex',
);

/** Files that break the process that measures them: the first by memory, the second by time. */
const HOSTILE = {
  samples: () => Buffer.concat([ftyp, moov(), fragment(0xffffffff)]),
  boxes: () => Buffer.concat([ftyp, moov(), Buffer.alloc(8 * 6_000_000, box('moof'))]),
};

type Spoiler = (exchange: Exchange, clip: ClipFile, effect: FileEffect) => void;

const SPOILERS: Record<FileEffect['kind'], Spoiler> = {
  truncate: (exchange, { bytes }) => {
    cut(exchange, 200, VIDEO, bytes);
  },
  shorten: ({ reply }, { bytes }) => {
    void reply.type(VIDEO).send(bytes.subarray(0, Math.floor(bytes.length / 2)));
  },
  empty: ({ reply }) => {
    void reply.type(VIDEO).send(Buffer.alloc(0));
  },
  corrupt: ({ reply }, { bytes }) => {
    // The index stands in front; the pictures behind it are overwritten.
    const broken = Buffer.from(bytes);
    broken.fill(0, Math.floor(bytes.length / 4));
    void reply.type(VIDEO).send(broken);
  },
  html: ({ reply }) => {
    void reply
      .type('text/html; charset=utf-8')
      .send('<!doctype html><title>Just a moment...</title><p>Checking your browser.</p>');
  },
  gzip: ({ reply }, { bytes }) => {
    // Whatever the request accepts: an edge that compresses everything.
    void reply.type(VIDEO).header('content-encoding', 'gzip').send(gzipSync(bytes));
  },
  webm: ({ reply }) => {
    void reply.type('video/webm').send(WEBM);
  },
  hostile: ({ reply }, _clip, effect) => {
    void reply.type(VIDEO).send(HOSTILE['by' in effect ? effect.by : 'samples']());
  },
  trickle: (exchange, { bytes }, effect) => {
    const seconds = 'seconds' in effect ? effect.seconds : 0;
    stream(exchange, bytes.length, slices(bytes, seconds, exchange.gone));
  },
  oversize: (exchange) => {
    stream(exchange, TEN_GIGABYTES, zeros());
  },
  redirect: ({ request, reply }) => {
    // The same machine by another name: a host that the client was never told to trust.
    const host = request.hostname === 'localhost' ? '127.0.0.1' : 'localhost';
    const port = String(request.port);
    const path = request.url.replace('/delivery/', '/elsewhere/');
    void reply.redirect(`http://${host}:${port}${path}`, 302);
  },
};

export function spoil(exchange: Exchange, effect: FileEffect, clip: ClipFile): FastifyReply {
  SPOILERS[effect.kind](exchange, clip, effect);
  return exchange.reply;
}

/** Straight to the socket, so that the announced length may be a lie. */
function stream(
  { reply }: Exchange,
  announced: number,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): void {
  reply.hijack();
  reply.raw.writeHead(200, {
    date: String(reply.getHeader('date')),
    'content-type': VIDEO,
    'content-length': announced,
    [SIMULATOR_HEADER]: 'true',
  });
  const source = Readable.from(chunks);
  reply.raw.on('close', () => source.destroy());
  source.pipe(reply.raw);
}

async function* slices(
  bytes: Uint8Array,
  seconds: number,
  gone: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const size = Math.ceil(bytes.length / CHUNKS);
  for (let from = 0; from < bytes.length; from += size) {
    if (!(await pause((seconds * 1000) / CHUNKS, gone))) return;
    yield bytes.subarray(from, from + size);
  }
}

function* zeros(): Generator<Uint8Array> {
  const chunk = Buffer.alloc(64 * 1024);
  for (;;) yield chunk;
}
