/** What a user reads when the embedded server does not start: one sentence, with any output of the server. */
import { expect, it } from 'vitest';
import { ConfigError } from '../../src/config.js';
import { collectServerOutput } from '../../src/embedded/server-exit.js';

const SERVER = {
  database: '/data/temporal.db',
  ports: [
    { variable: 'TEMPORAL_PORT', host: '127.0.0.1', port: 7233 },
    { variable: 'TEMPORAL_UI_PORT', host: '127.0.0.1', port: 8233 },
  ],
};

/** Printed by CLI 1.5.1 when another program took the port between the check and the start. */
const trace = (port: number): string[] => [
  `{"time":"2026-11-25T01:19:43.015720042Z","level":"ERROR","msg":"Failed to start gRPC listener","error":"listen tcp 127.0.0.1:${String(port)}: bind: address already in use","service":"frontend","address":"127.0.0.1:${String(port)}"}`,
  'panic: runtime error: invalid memory address or nil pointer dereference',
  '[signal SIGSEGV: segmentation violation code=0x1 addr=0x20 pc=0x25e3a29]',
  '',
  'goroutine 1 [running]:',
  'go.temporal.io/server/service/frontend.NewHTTPAPIServer(0x24b405d33c08)',
  ...Array.from({ length: 60 }, (_, i) => `\tgo.uber.org/dig@v1.18.1/container.go:${String(i)}`),
  '\tgithub.com/temporalio/cli@v1.5.1/cmd/temporal/main.go:18 +0x96',
];

function errorAfter(lines: readonly string[]): Error {
  const output = collectServerOutput();
  for (const line of lines) output.add(line);
  return output.exitError('exit 2', SERVER);
}

it('a port taken in the last moment is named with its variable, not by the trace of the server', () => {
  const error = errorAfter(trace(7233));
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toBe(
    'TEMPORAL_PORT: expected a free port, got 7233, which another program uses on 127.0.0.1; stop that program or set TEMPORAL_PORT.',
  );
});

it('a port that no setting names is reported in the words of the server', () => {
  expect(errorAfter(trace(40123)).message).toMatch(
    /^temporal: expected the server to run, but it ended at once \(exit 2\): panic: runtime error/,
  );
  expect(errorAfter(trace(40123).slice(0, 1)).message).toContain(
    'Failed to start gRPC listener: listen tcp 127.0.0.1:40123: bind: address already in use',
  );
});

it('a damaged database is told apart from every other error', () => {
  const line = JSON.stringify({
    level: 'ERROR',
    msg: 'creating namespaces: file is not a database (26)',
  });
  expect(errorAfter([line, '}']).message).toBe(
    'temporal: expected a SQLite database, got /data/temporal.db, which is damaged; move it away to start with an empty one.',
  );
});

it('a warning is not taken for the reason; without an error the newest line is', () => {
  const warning = JSON.stringify({ level: 'WARN', msg: 'error: of no importance' });
  expect(errorAfter([warning, '\u001B[31mKilled\u001B[0m']).message).toMatch(/\(exit 2\): Killed$/);
});
