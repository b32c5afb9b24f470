/**
 * Answers that Node or Fastify gives before any hook runs: to requests that cannot be parsed, to paths that the router cannot
 * read, and while the server stops. They have the headers and the problem format of every other answer.
 */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { COMMON_HEADERS } from '../../http/common-headers.js';
import type { Limits } from '../load/limits.js';
import {
  HttpProblem,
  problemBody,
  PROBLEM_TYPE,
  sendProblem,
  toProblem,
  unavailable,
} from '../problems.js';
import { secure } from './headers.js';
import { refuseOtherHosts } from './keys.js';
import type { AccessRules } from './keys.js';

/** Options of Fastify. */
export const earlyAnswers = (access: AccessRules, limits: Limits) => ({
  http: {
    // `guard` refuses a request without a Host, with a problem.
    requireHostHeader: false,
    headersTimeout: limits.headers_ms,
    connectionsCheckingInterval: limits.check_ms,
  },
  // Until the last byte of the request has come: an answer, as a stream is, may take any time.
  requestTimeout: limits.request_ms,
  connectionTimeout: limits.stalled_ms,
  return503OnClosing: false,
  frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    secure(reply);
    try {
      refuseOtherHosts(access, request);
      sendProblem(reply, toProblem(error));
    } catch (refusal) {
      sendProblem(reply, toProblem(refusal as HttpProblem));
    }
  },
  clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => {
    const destroy = (): void => {
      socket.destroy();
    };
    if (error.code === 'ECONNRESET' || isBeingAnswered(socket)) destroy();
    // Called again while more of the request comes in: the answer is then on its way.
    else if (socket.writable) socket.end(answerTo(error.code ?? ''), destroy);
  },
});

/** The last answer of each connection. */
const answers = new WeakMap<Socket, ServerResponse>();

/** A second answer would be written into the middle of the first: a stream, whose request has a body that never came. */
function isBeingAnswered(socket: Socket): boolean {
  const answer = answers.get(socket);
  return answer !== undefined && answer.headersSent && !answer.writableFinished;
}

export function answerEarly(app: FastifyInstance): void {
  let isStopping = false;
  app.addHook('onRequest', async ({ raw }, reply) => {
    answers.set(raw.socket, reply.raw);
  });
  app.addHook('preClose', async () => {
    isStopping = true;
  });
  app.addHook('onRequest', async () => {
    if (isStopping) throw unavailable('this process is stopping; ask again, the next one answers');
  });
  // Node would answer an empty 417; a server may ignore an expectation that it does not know (RFC 9110, 10.1.1).
  app.server.on('checkExpectation', (request, response) => {
    app.routing(request, response);
  });
}

/** Codes of Node's parser. */
const UNREADABLE: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'expected at most 16 KiB of path and headers'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'expected the whole request sooner'],
};

function answerTo(code: string): string {
  const [status, detail] = UNREADABLE[code] ?? [400, `expected a request of HTTP/1.1 (${code})`];
  const body = problemBody(new HttpProblem(status, detail));
  const headers = {
    ...COMMON_HEADERS,
    'content-type': PROBLEM_TYPE,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`;
}
