/** A web server on loopback that serves images, and everything that only looks like one; it counts what is asked. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export const picture = (
  format: 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' = 'jpeg',
  [width, height]: readonly [number, number] = [320, 240],
  background = '#3a6ea5',
): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background } })
    .toFormat(format)
    .toBuffer();

export const bytes =
  (content: Uint8Array | string, type = 'image/jpeg'): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': type }).end(content);
  };

export const status =
  (code: number): Answer =>
  (_request, response) => {
    response.writeHead(code).end('no');
  };

export const redirect =
  (location: string, code = 302): Answer =>
  (_request, response) => {
    response.writeHead(code, { location }).end();
  };

export class ImageHost implements AsyncDisposable {
  readonly #server: Server;
  readonly #answers: Map<string, Answer>;
  readonly hits = new Map<string, number>();
  readonly requests: IncomingMessage[] = [];

  private constructor(server: Server, answers: Map<string, Answer>) {
    this.#server = server;
    this.#answers = answers;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const path = request.url ?? '';
      this.hits.set(path, (this.hits.get(path) ?? 0) + 1);
      this.requests.push(request);
      (this.#answers.get(path) ?? status(404))(request, response);
    });
  }

  static async start(answers: Readonly<Record<string, Answer>>): Promise<ImageHost> {
    const server = createServer();
    const host = new ImageHost(server, new Map(Object.entries(answers)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return host;
  }

  get host(): string {
    return `127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  url(path: string): string {
    return `http://${this.host}${path}`;
  }

  set(path: string, answer: Answer): void {
    this.#answers.set(path, answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
