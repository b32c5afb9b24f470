/**
 * `durable-clip-generator/client`: the client of the HTTP API, for browsers and Node from 20.3 on. It depends on no package,
 * and on nothing of Node. docs/client.md describes it.
 */
export { ApiError } from './api-error.js';
export { createClient } from './create-client.js';
export type {
  CallOptions,
  Client,
  EventOptions,
  FinalOptions,
  FollowJobOptions,
  StartOptions,
} from './create-client.js';
export type { FollowItem } from './follow-events.js';
export { fold, openedWith } from './followed-job.js';
export type { FollowedJob } from './followed-job.js';
export type { ClientOptions } from './transport.js';
export type * from './wire.js';
