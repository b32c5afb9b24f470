/** A proxy in front of a bucket, which loses answers and cuts uploads off as a test says. */
import { createServer, request as send } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** `lose`: the server does what it was asked, and its answer never arrives. `cut`: only so many bytes of the request arrive. */
export type Fault = 'pass' | 'lose' | { cut: number };

interface FaultyProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** `PUT /clips/key?partNumber=1`, in order. */
  readonly seen: string[];
}

export async function startFaultyProxy(
  to: number,
  faultOf: (line: string, count: number) => Fault,
): Promise<FaultyProxy> {
  const seen: string[] = [];
  const server = createServer((incoming, answer) => {
    const line = `${incoming.method ?? ''} ${incoming.url ?? ''}`;
    seen.push(line);
    const fault = faultOf(line, seen.length);
    const onward = send(
      {
        host: '127.0.0.1',
        port: to,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
        agent: false,
      },
      (response) => {
        if (fault === 'lose') {
          response.resume().on('end', () => incoming.socket.destroy());
          return;
        }
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      },
    );
    onward.on('error', () => incoming.socket.destroy());
    incoming.on('close', () => {
      if (!incoming.complete) onward.destroy();
    });
    if (typeof fault === 'object') cutAfter(fault.cut, incoming);
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function cutAfter(limit: number, incoming: IncomingMessage): void {
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit) incoming.socket.destroy();
  });
}
