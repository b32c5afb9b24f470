import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSimulator } from '../../src/simulator/index.js';
import { hasEnded, startPeer, stoppedClock } from './support.js';
import { testFolder } from '../support/test-folder.js';

async function directory(): Promise<string> {
  const { path, remove } = testFolder('simulator');
  onTestFinished(remove);
  return path;
}

describe('a simulator that was killed and started again', () => {
  // A second one over the same directory finds exactly what a killed first one has left: nothing was closed.
  it('knows every prediction, bill and fault, and what happened meanwhile', async () => {
    const data_dir = await directory();
    const clock = stoppedClock();
    const first = await startPeer({ data_dir, now: clock.now });
    const running = (await first.create('running')).body;
    const canceled = (await first.create('x [[stuck-processing]]')).body;
    const failed = (await first.create('x [[fail-once]]')).body;
    await first.create('[[aborted]]');
    clock.advance(0.01);
    await first.ask('POST', `/v1/predictions/${canceled.id}/cancel`);
    clock.advance(1);
    const second = await startPeer({ data_dir, now: clock.now });
    expect((await second.get(running.id)).status).toBe('succeeded');
    expect((await second.get(canceled.id)).status).toBe('canceled');
    expect((await second.get(failed.id)).status).toBe('failed');
    const before = await first.stats();
    expect(await second.stats()).toMatchObject({
      creates: 4,
      cancels: 1,
      bills: before.bills,
      peak_alive: before.peak_alive,
      predictions: before.predictions,
    });
    const { body } = await second.create('x [[fail-once]]');
    clock.advance(1);
    expect((await second.get(body.id)).status).toBe('succeeded');
  });

  it('serves the same bytes', async () => {
    const data_dir = await directory();
    const first = await startPeer({ data_dir });
    const { body } = await first.create('a lighthouse');
    const { output } = await first.until(body.id, hasEnded);
    const one = await (await fetch(String(output))).arrayBuffer();
    await first.simulator.close();
    const second = await startPeer({ data_dir });
    const again = String((await second.get(body.id)).output);
    const other = await (await fetch(again)).arrayBuffer();
    expect(Buffer.from(other).equals(Buffer.from(one))).toBe(true);
  });

  it('knows uploaded files', async () => {
    const data_dir = await directory();
    const first = await startPeer({ data_dir });
    const kept = await first.client.files.create(new Blob(['pixels']));
    const deleted = await first.client.files.create(new Blob(['gone']));
    await first.client.files.delete(deleted.id);
    const second = await startPeer({ data_dir });
    expect((await second.ask('GET', `/v1/files/${kept.id}/download`)).status).toBe(200);
    expect((await second.ask('GET', `/v1/files/${deleted.id}`)).status).toBe(404);
  });

  it('ignores a line that the kill cut short, and continues after it', async () => {
    const data_dir = await directory();
    const first = await startPeer({ data_dir });
    const { id } = (await first.create('x')).body;
    await first.simulator.close();
    const journal = join(data_dir, 'simulator', 'journal.jsonl');
    await appendFile(journal, '{"fact":"created","record":{"id":"half');
    const second = await startPeer({ data_dir });
    const next = (await second.create('y')).body.id;
    await second.simulator.close();
    const third = await startPeer({ data_dir });
    const listed = (await third.ask<{ results: { id: string }[] }>('GET', '/v1/predictions')).body;
    expect(listed.results.map((prediction) => prediction.id)).toEqual([next, id]);
  });

  it('keeps the sums when a long journal is shortened', async () => {
    const data_dir = await directory();
    const clock = stoppedClock();
    const first = await startPeer({ data_dir, now: clock.now });
    await first.create('x');
    await first.create('y');
    clock.advance(10);
    const before = await first.stats();
    await first.simulator.close();
    const journal = join(data_dir, 'simulator', 'journal.jsonl');
    const text = await readFile(journal, 'utf8');
    const use = `${JSON.stringify({ fact: 'upload_deleted', id: 'none' })}\n`;
    await writeFile(journal, text + use.repeat(20_000));
    const second = await startPeer({ data_dir, now: clock.now });
    expect((await readFile(journal, 'utf8')).length).toBeLessThan(5000);
    await second.simulator.close();
    const third = await startPeer({ data_dir, now: clock.now });
    expect(await third.stats()).toMatchObject({
      creates: 2,
      bills: before.bills,
      peak_alive: 2,
      predictions: before.predictions,
    });
  });

  it('says in a sentence that its port is in use', async () => {
    const peer = await startPeer();
    const { port } = peer.simulator;
    const other = startSimulator({ port, speed: 1, data_dir: null });
    await expect(other).rejects.toThrow(`127.0.0.1:${String(port)}: the port is in use`);
  });
});
