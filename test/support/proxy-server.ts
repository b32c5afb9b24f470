/** A little HTTP proxy on loopback: it writes down what goes through it, and lets everything pass to one place. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';

interface ProxyServer extends AsyncDisposable {
  /** With a name and a password in it. */
  url: string;
  host: string;
  /** `CONNECT host:port`, or the method and absolute address. */
  seen: string[];
  /** Credentials that came, decoded. */
  credentials: string[];
}

interface ProxyBehaviour {
  /** Everything that passes goes to this port of loopback, for any host it names. */
  to?: number;
  /** Answers this status instead. */
  refuses?: number;
}

export async function startProxy({ to = 0, refuses }: ProxyBehaviour = {}): Promise<ProxyServer> {
  const seen: string[] = [];
  const credentials: string[] = [];
  const note = (line: string, authorization: string | undefined): void => {
    seen.push(line);
    const basic = /^Basic (.+)$/.exec(authorization ?? '')?.[1];
    if (basic !== undefined) credentials.push(Buffer.from(basic, 'base64').toString());
  };
  const server = createServer((incoming, answer) => {
    note(`${incoming.method ?? ''} ${incoming.url ?? ''}`, incoming.headers['proxy-authorization']);
    if (refuses !== undefined) {
      answer.writeHead(refuses).end();
      return;
    }
    const { pathname, search } = new URL(incoming.url ?? '');
    const options = { port: to, host: '127.0.0.1', path: pathname + search };
    const onward = request(
      { ...options, method: incoming.method, headers: incoming.headers },
      (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      },
    );
    incoming.pipe(onward);
  });
  server.on('connect', (incoming, socket) => {
    note(`CONNECT ${incoming.url ?? ''}`, incoming.headers['proxy-authorization']);
    socket.on('error', () => undefined);
    if (refuses !== undefined) {
      socket.end(`HTTP/1.1 ${String(refuses)} No\r\n\r\n`);
      return;
    }
    const onward = connect(to, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url: `http://user:s3cret@${host}`,
    host,
    seen,
    credentials,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
