/** The paid activity with a fake provider, workflow and disk: what it asks of them, in order, and what it tells. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Deps } from '../../src/activities/deps.js';
import { createGenerateClip } from '../../src/activities/generate-clip.js';
import type { Creates } from '../../src/adapters/storage/create-log.js';
import { createPredictionIndex } from '../../src/adapters/replicate/prediction-index.js';
import type {
  CreateOutcome,
  CreateRequest,
  ProviderPrediction,
  ReadOutcome,
  Replicate,
} from '../../src/adapters/replicate/replicate-client.js';
import type {
  GenerateClipInput,
  GenerateClipResult,
  Heartbeat,
} from '../../src/contract/activities.js';
import type { ClipMemory } from '../../src/contract/workflow.js';
import { notedCreates } from '../support/creates.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import { rendered } from './rendered.js';

/** The parts of a worker's world that a search needs: no prediction is claimed, and no video is measured. */
export const UNCLAIMED = {
  claims: {
    claim: () => Promise.resolve(true),
    owner: () => Promise.resolve(null),
  },
  media: { expect: () => ({ [Symbol.dispose]: () => undefined }) },
  plan: { catalogue: CATALOGUE },
  provider_origin: 'https://api.replicate.com',
};

export const INPUT: GenerateClipInput = {
  clip_index: 0,
  model: 'a/b',
  version: null,
  input: { prompt: 'a' },
  requested_duration: 5,
  price: null,
  bills_failed: false,
  usual_time: 1,
  deadline: new Date(Date.now() + 60_000).toISOString(),
  clip_timeout: 900,
  asked_at: null,
  resume: null,
  unclear: false,
  failed_attempts: 0,
  since: new Date().toISOString(),
  known: [],
};

/** A workflow that has heard nothing of the clip. */
export const NOTHING: ClipMemory = {
  failed_attempts: 0,
  predictions: [],
  claimed: [],
  granted: true,
  last_error: null,
  next_attempt_at: null,
  asked_at: null,
};

/** The last heartbeat of an execution that saw the first attempt fail. */
export const FAILED_ONCE: Heartbeat = {
  attempt: 1,
  failed_attempts: 1,
  phase: 'waiting',
  prediction_id: null,
  status: null,
  percent: null,
  until: null,
  message: null,
};

export interface Played {
  memory?: ClipMemory;
  /** The workflow answers no query. */
  is_mute?: boolean;
  create?: (request: CreateRequest) => Promise<CreateOutcome>;
  read?: () => ReadOutcome;
  listed?: ProviderPrediction[];
  onSignal?: (name: string, payload: Record<string, unknown>) => void;
  may_create?: boolean;
  /** Creates that were written down; when absent none, and it is unknown since when they are. */
  creates?: Creates;
  store_id?: string;
  /** The prediction whose video is stored for the clip. */
  stored?: string;
}

type Info = ConstructorParameters<typeof MockActivityEnvironment>[0];

/** `did`: what was asked of the provider and of the workflow; `signals`: what the workflow was told. */
export function paidActivity({
  memory = NOTHING,
  may_create = true,
  creates = notedCreates(),
  ...played
}: Played) {
  const did: ('create' | 'list' | 'read' | 'memory')[] = [];
  const signals: [name: string, payload: Record<string, unknown>][] = [];
  const requests: CreateRequest[] = [];
  const replicate = {
    clock: { ahead: 0, error: 2_000, now: () => Date.now() },
    create: (request: CreateRequest) => {
      did.push('create');
      requests.push(request);
      const prediction = { ...rendered('own'), status: 'starting' as const, output_url: null };
      const created: CreateOutcome = { type: 'created', prediction };
      return played.create?.(request) ?? Promise.resolve(created);
    },
    get: (id: string) => {
      const prediction = played.listed?.find((one) => one.id === id);
      return Promise.resolve(played.read?.() ?? { type: 'found', prediction });
    },
    cancel: () => Promise.resolve(played.read?.()),
    page: () => {
      did.push('list');
      const predictions = played.listed ?? [];
      return Promise.resolve({ type: 'page', predictions, odd: 0, next: null });
    },
  } as unknown as Replicate;
  const deps = {
    store_id: played.store_id,
    ...UNCLAIMED,
    webhook_url: null,
    poll_hints: { on: () => () => undefined },
    creates,
    store: {
      stored: () =>
        Promise.resolve(played.stored === undefined ? null : { prediction_id: played.stored }),
    },
    workflow: () => ({
      signal: ({ name }: { name: string }, payload: Record<string, unknown>) => {
        signals.push([name, payload]);
        played.onSignal?.(name, payload);
        return Promise.resolve();
      },
      memory: () => {
        did.push('memory');
        return played.is_mute === true
          ? Promise.reject(new Error('query timed out'))
          : Promise.resolve(memory);
      },
      startedAt: () => Promise.resolve(Date.now()),
    }),
    reader: {
      open: ({ id }: { id: string }) => ({
        next: async () => {
          did.push('read');
          await nextTurn();
          return played.read?.() ?? { type: 'found', prediction: rendered(id) };
        },
        hurry: () => undefined,
        [Symbol.dispose]: () => undefined,
      }),
    },
    replicate,
    index: createPredictionIndex(replicate),
  } as unknown as Deps;
  const generateClip = createGenerateClip(deps, { may_create });
  const run = (
    input: Partial<GenerateClipInput> = {},
    info: Info = {},
    watch?: (environment: MockActivityEnvironment) => void,
  ): Promise<GenerateClipResult> => {
    const environment = new MockActivityEnvironment({ startToCloseTimeoutMs: 120_000, ...info });
    watch?.(environment);
    return environment.run(generateClip, { ...INPUT, ...input });
  };
  return { did, signals, requests, run };
}
