/**
 * Connections to Temporal for every part but the worker, whose connection is not written in JavaScript.
 * A server on this machine is never asked through a proxy; for other servers gRPC's own rules hold.
 *
 * A call that waits for its next retry when its connection is closed ends as CANCELLED. The SDK's retry (1.24, `grpc-retry.js`)
 * makes the next call in a timer, where a closed channel throws: the process would end with a trace in the middle of its
 * shutdown.
 */
import { InterceptingCall, Metadata, status } from '@grpc/grpc-js';
import type { Interceptor } from '@grpc/grpc-js';
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import { errorMessage } from '../../domain/values/error-message.js';
import { staysOnThisMachine } from '../../domain/values/loopback.js';

type Call = ConstructorParameters<typeof InterceptingCall>[0];
type Options = Omit<ConnectionOptions, 'interceptors'>;

/** Resolves when the server has answered; rejects within `connectTimeout` (10 s unless told). */
export const connectTemporal = (options: Options): Promise<Connection> =>
  Connection.connect({ ...direct(options), interceptors });

/** Connects when first needed, and again whenever it was lost. */
export const connectWhenNeeded = (options: Options): Connection =>
  Connection.lazy({ ...direct(options), interceptors });

/** gRPC uses the proxy of the environment for this machine too, and then waits for it without a word. */
const direct = (options: Options): Options =>
  staysOnThisMachine(hostOf(options.address ?? 'localhost'))
    ? { ...options, channelArgs: { ...options.channelArgs, 'grpc.enable_http_proxy': 0 } }
    : options;

/** Of `host`, `host:port`, `[::1]:port`, with or without a scheme of gRPC's (`dns:///host:port`). */
const hostOf = (address: string): string =>
  address.replace(/^[a-z]+:\/{1,3}/i, '').replace(/:\d+$/, '');

const canceledOnceClosed: Interceptor = (options, next) => {
  try {
    return new InterceptingCall(next(options));
  } catch (error) {
    return new InterceptingCall(canceled(errorMessage(error)));
  }
};

/** A call that sends nothing and ends with this status, without a message. */
const canceled = (details: string): Call => ({
  start(_metadata, listener) {
    // A real answer comes after the caller has sent its message, too.
    queueMicrotask(() => {
      listener?.onReceiveMessage?.(null);
      listener?.onReceiveStatus?.({ code: status.CANCELLED, details, metadata: new Metadata() });
    });
  },
  sendMessage: nothing,
  sendMessageWithContext: nothing,
  startRead: nothing,
  halfClose: nothing,
  cancelWithStatus: nothing,
  getPeer: () => 'closed',
  getAuthContext: () => null,
});

const nothing = (): void => undefined;

/** Outermost first: each attempt of the retry passes the second. */
const interceptors: Interceptor[] = [
  makeGrpcRetryInterceptor(defaultGrpcRetryOptions()),
  canceledOnceClosed,
];
