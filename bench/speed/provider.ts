/**
 * The provider that all are measured against: the simulator, a process of its own, in real time. It makes one file, once, so
 * that it takes next to nothing of the machine, as a provider elsewhere does. Its ledger says when things happened there.
 */
import { fileURLToPath } from 'node:url';
import { Program } from './program.js';

const COMMAND = fileURLToPath(new URL('./command.mjs', import.meta.url));

/** 1280 × 720, five seconds: about half a megabyte. */
const SETTINGS = { queue_seconds: 0, one_clip: true, clip_max_width: 1280 };

export interface LedgerLine {
  prompt: string;
  /** By the clock of this machine. */
  created_at: string;
  completed_at: string | null;
}

interface Ledger {
  creates: number;
  peak_alive: number;
  alive: number;
  /** By route. */
  reads: Record<string, number>;
  predictions: LedgerLine[];
}

export class Provider implements AsyncDisposable {
  readonly #program: Program;
  readonly #control: string;
  /** For REPLICATE_BASE_URL. */
  readonly url: string;

  private constructor(program: Program, port: number) {
    this.#program = program;
    this.#control = `http://127.0.0.1:${String(port)}/simulator`;
    this.url = `http://127.0.0.1:${String(port)}/v1`;
  }

  static async start(port: number, dataDir: string): Promise<Provider> {
    const program = await Program.start({
      name: 'the simulator',
      words: [process.execPath, COMMAND, 'simulator'],
      env: { SIMULATOR_PORT: String(port), SIMULATOR_SPEED: '1', DATA_DIR: dataDir },
      ready: /SIMULATOR at/,
    });
    const provider = new Provider(program, port);
    await provider.#ask('POST', '/settings', SETTINGS);
    return provider;
  }

  ledger(): Promise<Ledger> {
    return this.#ask('GET', '/stats') as Promise<Ledger>;
  }

  /** The next so many creates are accepted at once and answered late. */
  async answerLate(seconds: number, times: number): Promise<void> {
    await this.#ask('POST', '/faults', { fault: `slow-answer:${String(seconds)}`, times });
  }

  async #ask(method: string, route: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#control}${route}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${route}: ${await response.text()}`);
    return response.json();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

/** GETs of predictions and of their list. */
export const readsOf = ({ reads }: Ledger): number =>
  Object.entries(reads)
    .filter(([route]) => route.startsWith('/v1/predictions'))
    .reduce((sum, [, count]) => sum + count, 0);
