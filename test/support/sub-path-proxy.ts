/** A reverse proxy in front of the service: it passes on what is below a path, without that path. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

interface SubPathProxy {
  /** With the path, and a slash at its end. */
  url: string;
  /** What was asked for outside the path, where something else might live. */
  strays: string[];
  close(): Promise<void>;
}

export async function startSubPathProxy(target: string, path: string): Promise<SubPathProxy> {
  const strays: string[] = [];
  const server = http.createServer((request, response) => {
    const asked = request.url ?? '/';
    if (!asked.startsWith(`${path}/`)) {
      strays.push(asked);
      response.writeHead(404).end();
      return;
    }
    const { method, headers } = request;
    const onward = http.request(
      new URL(asked.slice(path.length), target),
      { method, headers, agent: false },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}${path}/`,
    strays,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
