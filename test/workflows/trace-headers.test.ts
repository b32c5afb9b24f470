/** What a workflow hands on of the trace that it was started in, and that it takes the same steps without one. */
import { defaultPayloadConverter } from '@temporalio/common';
import type { Headers } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { interceptors } from '../../src/workflows/trace-headers.js';

const HEADER = '_tracer-data';
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const payload = (value: unknown) => defaultPayloadConverter.toPayload(value);

/** The inputs and attributes that come out behind the interceptors of a workflow that was started with these headers. */
function behind(started: Headers) {
  const { inbound = [], outbound = [] } = interceptors();
  const seen: object[] = [];
  const note = (input: object): never => {
    seen.push(input);
    return undefined as never;
  };
  void inbound[0]?.execute?.({ args: ['plan'], headers: started }, note);
  const [own] = outbound;
  void own?.scheduleActivity?.(
    { activityType: 'storeClip', headers: { a: payload(1) } } as never,
    note,
  );
  void own?.scheduleLocalActivity?.({ activityType: 'resolvePlan', headers: {} } as never, note);
  void own?.continueAsNew?.({ args: [], headers: {} } as never, note);
  seen.push(own?.getLogAttributes?.({ workflowId: 'launch' }, (attributes) => attributes) ?? {});
  return seen;
}

const plainly = (headers: Headers): object[] => [
  { args: ['plan'], headers },
  { activityType: 'storeClip', headers: { a: payload(1) } },
  { activityType: 'resolvePlan', headers: {} },
  { args: [], headers: {} },
  { workflowId: 'launch' },
];

describe('a workflow', () => {
  it('hands its trace on to activities and to its next run, and names it in its log, at once', () => {
    const trace = { [HEADER]: payload({ traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` }) };
    expect(behind(trace)).toEqual([
      { args: ['plan'], headers: trace },
      { activityType: 'storeClip', headers: { a: payload(1), ...trace } },
      { activityType: 'resolvePlan', headers: trace },
      { args: [], headers: trace },
      { workflowId: 'launch', trace_id: TRACE_ID },
    ]);
  });

  it('without a trace changes nothing', () => {
    expect(behind({})).toEqual(plainly({}));
  });

  it.each([
    ['is no text map', payload('00')],
    ['is null', payload(null)],
    ['cannot be read', { metadata: {}, data: new Uint8Array([1]) }],
    ['has no trace', payload({})],
  ])('hands a header on that %s to no activity, which would fail of it', (_what, header) => {
    expect(behind({ [HEADER]: header })).toEqual(plainly({ [HEADER]: header }));
  });
});
