/**
 * What a page of another origin reaches on this machine while `npm start` runs. A browser can send simple requests to
 * every loopback port, and with a name of its own that points here (DNS rebinding) it can also read the answers.
 */
import { request } from 'node:http';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { descendants } from '../../setup/processes.mjs';
import { freePorts } from '../../src/http/ports.js';
import { eventually } from '../support/eventually.js';
import { listenersOf } from '../support/listeners.js';
import type { Listener } from '../support/listeners.js';
import { startProcess } from '../support/processes.js';
import { testFolder } from '../support/test-folder.js';

interface Asked {
  method: string;
  path: string;
  body?: string;
}

/** Status, or null where what listens does not speak HTTP/1.1. */
function ask(
  { host, port }: Listener,
  { method, path: route, body }: Asked,
  headers: Record<string, string>,
): Promise<number | null> {
  return new Promise((resolve) => {
    const sent = request({ host, port, method, path: route, headers, agent: false });
    sent.setTimeout(5_000, () => sent.destroy());
    sent.once('error', () => {
      resolve(null);
    });
    sent.once('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? null);
    });
    sent.end(body);
  });
}

const WORKFLOW = JSON.stringify({
  workflowType: { name: 'generateClipsWorkflow' },
  taskQueue: { name: 'generate-clips' },
  input: [{ clip_prompts: [{ clip_index: 0, prompt: 'a boat', duration: 5 }] }],
});
const PLAN = JSON.stringify({ clip_prompts: [{ clip_index: 0, prompt: 'a boat', duration: 5 }] });

/** What starts, ends or tells something, in the words of each server that might answer. */
const REQUESTS: readonly Asked[] = [
  { method: 'POST', path: '/api/v1/namespaces/default/workflows/foreign', body: WORKFLOW },
  { method: 'POST', path: '/namespaces/default/workflows/foreign', body: WORKFLOW },
  { method: 'POST', path: '/api/v1/namespaces/default/workflows/foreign/terminate', body: '{}' },
  { method: 'POST', path: '/namespaces/default/nexus/callback', body: '{}' },
  { method: 'POST', path: '/v1/jobs', body: PLAN },
  { method: 'GET', path: '/api/v1/namespaces/default/workflows' },
  { method: 'GET', path: '/v1/jobs' },
  { method: 'GET', path: '/' },
];

describe.runIf(process.platform === 'linux')('a page of another origin', () => {
  it('starts, ends and reads nothing on any port that npm start opens', async () => {
    const { path: folder, remove } = testFolder('ports');
    onTestFinished(remove);
    const [port, temporal, ui, simulator] = (await freePorts('127.0.0.1', 4)).map(String);
    const env = { PORT: port ?? '', TEMPORAL_PORT: temporal ?? '', TEMPORAL_UI_PORT: ui ?? '' };
    await using stack = startProcess(['npm', 'start'], {
      env: { ...env, DATA_DIR: folder, SIMULATOR_PORT: simulator ?? '' },
    });
    await stack.waitFor(/Ctrl-C stops it/);
    const listeners = await listenersOf([stack.pid, ...descendants(stack.pid)]);
    const open = new Set(listeners.map((one) => String(one.port)));
    for (const known of [port, temporal, ui, simulator]) expect(open).toContain(known);
    // The Web UI itself, which checks nothing: on an address that a page would have to guess among 16 million.
    const [hidden, ...others] = listeners.filter(({ host }) => host !== '127.0.0.1');
    expect(hidden?.host).toMatch(/^127\./);
    expect(others).toEqual([]);

    const answered: string[] = [];
    for (const listener of listeners.filter((one) => one !== hidden)) {
      const local = `${listener.host}:${String(listener.port)}`;
      const rebound = `evil.example:${String(listener.port)}`;
      const origins: Record<string, string>[] = [
        { host: rebound, origin: `http://${rebound}`, 'content-type': 'text/plain' },
        { host: rebound, origin: `http://${rebound}`, 'content-type': 'application/json' },
        { host: rebound, 'content-type': 'application/json' },
        { host: local, origin: 'https://evil.example', 'content-type': 'text/plain' },
      ];
      for (const asked of REQUESTS) {
        for (const headers of origins) {
          const isSimpleRead = asked.method === 'GET' && headers['host'] === local;
          if (isSimpleRead) continue; // the browser keeps the answer from the page
          const status = await ask(listener, asked, headers);
          if (status !== null && status < 400) {
            answered.push(
              `${local} ${asked.method} ${asked.path} ${JSON.stringify(headers)} ${String(status)}`,
            );
          }
        }
      }
    }
    expect(answered).toEqual([]);

    const connection = await Connection.connect({ address: `127.0.0.1:${temporal ?? ''}` });
    onTestFinished(() => connection.close());
    const started: string[] = [];
    for await (const { workflowId } of new Client({ connection }).workflow.list()) {
      started.push(workflowId);
    }
    expect(started).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux')("Temporal's Web UI", () => {
  it('answers at its port, under every name of this machine', async () => {
    const { path: folder, remove } = testFolder('ports');
    onTestFinished(remove);
    const [temporal, ui] = (await freePorts('127.0.0.1', 2)).map(String);
    await using server = startProcess(['npm', 'run', 'temporal'], {
      env: { DATA_DIR: folder, TEMPORAL_PORT: temporal ?? '', TEMPORAL_UI_PORT: ui ?? '' },
    });
    await server.waitFor(/Web UI: /);
    const answerTo = (name: string) =>
      ask(
        { host: '127.0.0.1', port: Number(ui) },
        { method: 'GET', path: '/api/v1/namespaces' },
        { host: `${name}:${ui ?? ''}` },
      );
    // The UI connects to the server by itself, and may need a second attempt.
    await eventually('an answer of the UI', async () => {
      const value = await answerTo('127.0.0.1');
      return { done: value === 200, value };
    });
    for (const name of ['localhost', '[::1]']) expect(await answerTo(name), name).toBe(200);
  });
});
