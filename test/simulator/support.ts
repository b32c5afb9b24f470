/** A simulator of a test's own, asked by fetch and by the real client. Waits are for facts, never for time. */
import Replicate from 'replicate';
import { onTestFinished } from 'vitest';
import {
  startSimulator,
  type Simulator,
  type SimulatorOptions,
} from '../../src/simulator/index.js';
import type { SimulatorStats } from '../../src/simulator/stats.js';

export const KLING = 'kwaivgi/kling-v2.5-turbo-pro';
export const SVD = 'stability-ai/stable-video-diffusion';
export const VEO = 'google/veo-3.1';

export interface Prediction {
  id: string;
  status: string;
  version: string;
  input: Record<string, unknown>;
  output: string | string[] | null;
  error: string | null;
  logs: string | null;
  data_removed: boolean;
  created_at: string;
  started_at?: string;
  completed_at?: string;
  deadline?: string;
  webhook?: string;
  metrics?: { predict_time?: number; total_time: number };
  urls: { web: string; get: string; cancel: string };
}

interface Answer<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
}

/** A clock that stands still until a test moves it. */
interface Clock {
  now: () => number;
  advance: (seconds: number) => void;
}
export function stoppedClock(start = Date.UTC(2026, 0, 1)): Clock {
  let now = start;
  return { now: () => now, advance: (seconds) => (now += seconds * 1000) };
}

export class Peer {
  readonly simulator: Simulator;

  constructor(simulator: Simulator) {
    this.simulator = simulator;
  }

  get origin(): string {
    return this.simulator.url.slice(0, -'/v1'.length);
  }

  get client(): Replicate {
    return new Replicate({ auth: 'r8_test', baseUrl: this.simulator.url });
  }

  async ask<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const response = await fetch(`${this.origin}${path}`, {
      method,
      headers: {
        ...(path.startsWith('/v1') ? { authorization: 'Bearer r8_test' } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== '' ? JSON.parse(text) : text) as Body,
    };
  }

  create(prompt: string, headers: Record<string, string> = {}): Promise<Answer<Prediction>> {
    const input = { prompt, duration: 5 };
    return this.ask('POST', `/v1/models/${KLING}/predictions`, { input }, headers);
  }

  async get(id: string): Promise<Prediction> {
    return (await this.ask<Prediction>('GET', `/v1/predictions/${id}`)).body;
  }

  async stats(): Promise<SimulatorStats> {
    return (await this.ask<SimulatorStats>('GET', '/simulator/stats')).body;
  }

  /** Asks until the prediction is as described. */
  async until(id: string, isTrue: (prediction: Prediction) => boolean): Promise<Prediction> {
    for (;;) {
      const prediction = await this.get(id);
      if (isTrue(prediction)) return prediction;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Asks until a request is held at the point. */
  async untilHeld(point: string): Promise<void> {
    for (;;) {
      const { held } = await this.stats();
      if (held.some((one) => one.point === point)) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

export const hasEnded = ({ status }: Prediction): boolean =>
  ['succeeded', 'failed', 'canceled', 'aborted'].includes(status);

/** Ends with the test. A thousand times faster than the provider unless told otherwise. */
export async function startPeer(options: Partial<SimulatorOptions> = {}): Promise<Peer> {
  const simulator = await startSimulator({ port: 0, speed: 1000, data_dir: null, ...options });
  let open = true;
  const peer = new Peer({
    ...simulator,
    close: async () => {
      if (open) await simulator.close();
      open = false;
    },
  });
  onTestFinished(() => peer.simulator.close());
  return peer;
}
