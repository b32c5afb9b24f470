/** A bound child never outlives the process that started it. */
import { describe, expect, it } from 'vitest';
import { isRunning } from '../../setup/process-liveness.mjs';
import { startBoundChild } from '../../src/embedded/bound-child.js';
import { eventually } from '../support/eventually.js';
import { ROOT, startProcess } from '../support/processes.js';

const gone = (pid: number) =>
  eventually(`process ${String(pid)} to be gone`, () =>
    Promise.resolve({ done: !isRunning(pid), value: pid }),
  );

describe('a bound child', () => {
  it('ends when it is closed', async () => {
    const program = await startBoundChild('sleep', ['600']);
    expect(isRunning(program.pid)).toBe(true);
    await program.close();
    expect(isRunning(program.pid)).toBe(false);
  });

  it('is killed when it ignores SIGTERM', async () => {
    const lines: string[] = [];
    const program = await startBoundChild(
      'sh',
      ['-c', 'trap "echo heard" TERM; echo ready; while true; do sleep 0.1; done'],
      (line) => lines.push(line),
    );
    await eventually('the trap to be set', () =>
      Promise.resolve({ done: lines.includes('ready'), value: lines }),
    );
    await program.close();
    expect(lines).toContain('heard');
    expect(await program.exited).toBe('signal 9');
  });

  it('ends when the process group of its parent is killed with SIGKILL', async () => {
    await using owner = startProcess([
      'node',
      '--input-type=module',
      '--eval',
      `import { startBoundChild } from ${JSON.stringify(`${ROOT}/dist/src/embedded/bound-child.js`)};
       const { pid } = await startBoundChild('sleep', ['600']);
       console.log('program ' + pid);
       setInterval(() => undefined, 1000);`,
    ]);
    const pid = Number((await owner.waitFor(/program (\d+)/))[1]);
    expect(isRunning(pid)).toBe(true);
    await owner.killGroup();
    await gone(pid);
  });

  it('reports the exit code of a program that ended by itself', async () => {
    const program = await startBoundChild('sh', ['-c', 'exit 7']);
    expect(await program.exited).toBe('exit 7');
    await program.close();
  });

  it('ends when the shell above it is killed', async () => {
    let tell: (shell: number) => void = () => undefined;
    const shell = new Promise<number>((resolve) => (tell = resolve));
    const program = await startBoundChild(
      'sh',
      ['-c', 'echo $PPID >&2; exec sleep 600'],
      (line) => {
        tell(Number(line));
      },
    );
    process.kill(await shell, 'SIGKILL');
    expect(await program.exited).toBe('SIGKILL');
    await gone(program.pid);
  });

  it('reports a program that does not exist with exit code 127', async () => {
    const program = await startBoundChild('/nowhere/temporal', []);
    expect(await program.exited).toBe('exit 127');
  });
});
