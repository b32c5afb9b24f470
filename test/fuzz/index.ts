/** Every fuzzer: what comes from outside, one a row. `npm test` runs each for a few seconds, `npm run fuzz` for as long as told. */
import { files } from './files.js';
import type { Fuzzer } from './fuzzer.js';
import { plans } from './plans.js';
import { providerAnswers } from './provider-answers.js';
import { requests } from './requests.js';
import { streams } from './streams.js';

export const FUZZERS: readonly Fuzzer[] = [providerAnswers, plans, requests, streams, files];
