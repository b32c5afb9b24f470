/**
 * What was measured, kept in bench/results.json: a row is replaced when it is measured again, so that rows of one run stand
 * together and a row that takes minutes can be measured alone. Documents are made of this file and nothing else.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { findTemporalCli } from '../../setup/temporal-cli.mjs';
import { PEERS } from './peer-stand.js';
import type { Measured } from './rows.js';

export interface MeasuredRow {
  says: string;
  /** YYYY-MM-DD. */
  measured: string;
  /** In words: processor, cores, memory, system, load before. */
  machine: string;
  /** Of what took part, by name. */
  versions: Record<string, string>;
  /** Why a peer took no part, by name. */
  missing: Record<string, string>;
  /** By contender, one of each repetition. */
  runs: Record<string, Measured[]>;
}

export type Results = Record<string, MeasuredRow>;

const FILE = fileURLToPath(new URL('../results.json', import.meta.url));

export const readResults = (): Results =>
  existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Results) : {};

export async function addResult(name: string, row: MeasuredRow): Promise<void> {
  const results = { ...readResults(), [name]: row };
  writeFileSync(FILE, await format(JSON.stringify(results), { parser: 'json', printWidth: 100 }));
}

const GIB = 2 ** 30;

export function describeMachine(): string {
  const [processor] = os.cpus();
  return [
    processor?.model.trim() ?? 'an unknown processor',
    `${String(os.availableParallelism())} cores`,
    `${String(Math.round(os.totalmem() / GIB))} GiB`,
    `${os.type()} ${os.release()}`,
    `load ${(os.loadavg()[0] ?? 0).toFixed(1)} at the start`,
  ].join(', ');
}

export function versionsOf(contenders: readonly string[]): Record<string, string> {
  const others = contenders.flatMap((name) => Object.entries(PEERS[name]?.versions() ?? {}));
  return {
    Node: process.versions.node,
    Temporal: temporalVersion(),
    ...Object.fromEntries(others),
  };
}

/** A program that was built here calls itself 0.0.0. */
function temporalVersion(): string {
  const text = execFileSync(findTemporalCli() ?? 'temporal', ['--version'], { encoding: 'utf8' });
  return /Server ([\d.]+)/.exec(text)?.[1] ?? text.trim();
}
