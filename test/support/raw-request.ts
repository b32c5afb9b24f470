/** Requests as bytes on a socket: what no client of HTTP would send. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Sends the lines and reads the answer: to its end, or, for a stream, as far as `until`. */
export function rawRequest(
  url: string,
  lines: readonly string[],
  until: (answer: RawAnswer) => boolean = () => false,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n\r\n') && until(parse(text))) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(parse(text));
    });
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  });
}

export interface OpenRequest {
  socket: Socket;
  /** What was answered until the connection closed. */
  closed: Promise<RawAnswer>;
  /** Resolves when as much has come as `until` wants. */
  answer: (until: (answer: RawAnswer) => boolean) => Promise<RawAnswer>;
}

/** Begins a request, and leaves the rest of it to the test. */
export function openRequest(url: string, text: string): OpenRequest {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let received = '';
  const closed = new Promise<RawAnswer>((resolve) => {
    socket.on('close', () => {
      resolve(parse(received));
    });
  });
  socket.on('error', () => undefined); // `close` follows
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    socket.emit('received');
  });
  socket.write(text);
  return {
    socket,
    closed,
    answer: (until) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (received.includes('\r\n\r\n') && until(parse(received))) resolve(parse(received));
        };
        socket.on('received', look);
        socket.on('close', () => {
          look();
          reject(new Error(`the connection closed with ${received.slice(0, 500)}`));
        });
        look();
      }),
  };
}

/** A byte now and then, until the connection closes: what comes in must not put a time-out off. */
export function trickle({ socket, closed }: OpenRequest, byte: string): Promise<RawAnswer> {
  const timer = setInterval(() => socket.write(byte), 10);
  return closed.finally(() => {
    clearInterval(timer);
  });
}

function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...fields] = text.slice(0, end).split('\r\n');
  const headers = fields.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
  });
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: text.slice(end + 4),
  };
}
