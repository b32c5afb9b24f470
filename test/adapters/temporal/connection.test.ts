/** What becomes of calls under way when their connection to Temporal is closed, against a server that is busy. */
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectTemporal, connectWhenNeeded } from '../../../src/adapters/temporal/connection.js';

const NOTHING = Buffer.alloc(0);
const verb = (name: string) => ({
  path: `/temporal.api.workflowservice.v1.WorkflowService/${name}`,
  requestStream: false,
  responseStream: false,
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
});

let server: Server;
let address: string;
let busy: boolean;
/** Resolves when the server has refused its first call. */
let refused: Promise<void>;

beforeEach(async () => {
  server = new Server();
  busy = true;
  refused = new Promise((resolve) => {
    server.addService(
      { GetSystemInfo: verb('GetSystemInfo'), GetClusterInfo: verb('GetClusterInfo') },
      {
        GetSystemInfo(_call: unknown, reply: (error: null, bytes: Buffer) => void) {
          reply(null, NOTHING);
        },
        GetClusterInfo(_call: unknown, reply: (error: object | null, bytes?: Buffer) => void) {
          if (busy) reply({ code: status.UNAVAILABLE, details: 'busy' });
          else reply(null, NOTHING);
          resolve();
        },
      },
    );
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  address = `127.0.0.1:${String(port)}`;
});
afterEach(() => {
  server.forceShutdown();
});

describe('a closed connection', () => {
  it.each([
    ['connected', () => connectTemporal({ address })],
    ['connected when needed', () => Promise.resolve(connectWhenNeeded({ address }))],
  ])(
    '%s ends a call that waits for its next retry, without an unhandled error',
    async (_, connect) => {
      const connection = await connect();
      const call = connection.workflowService.getClusterInfo({});
      const end = expect(call).rejects.toMatchObject({ code: status.CANCELLED });
      await refused;
      await connection.close();
      await end;
    },
  );

  it('refuses a call that comes after', async () => {
    const connection = await connectTemporal({ address });
    await connection.close();
    await expect(connection.workflowService.getClusterInfo({})).rejects.toMatchObject({
      code: status.CANCELLED,
    });
  });

  it('is needed for that: an open one retries until the server answers', async () => {
    const connection = await connectTemporal({ address });
    const call = connection.workflowService.getClusterInfo({});
    await refused;
    busy = false;
    await expect(call).resolves.toBeDefined();
    await connection.close();
  });
});
