/**
 * How clients and workers write what they send to Temporal: as JSON, encrypted where there are keys, and large ones in the store. The
 * SDK encrypts first and stores then, so that what is stored is encrypted too.
 */
import { readFile } from 'node:fs/promises';
import type { DataConverter } from '@temporalio/common';
import type { Config } from '../../config.js';
import { packageFile } from '../../settings/package-files.js';
import { createPayloadCodec } from './payload-codec.js';

/** Also without keys: the codec then says which variable is missing (CODEC-1). */
export const withCodec = <Converter extends DataConverter>(
  converter: Converter,
  keys: Config['codec_keys'],
): Converter & Required<Pick<DataConverter, 'payloadCodecs'>> => ({
  ...converter,
  payloadCodecs: [createPayloadCodec(keys)],
  // Messages and stacks of failures as payloads; their types, by which workflows decide, stay readable.
  ...(keys.length > 0 && { failureConverterPath: packageFile('setup/encoded-failures.cjs') }),
});

/** What a worker hands to its workflow sandbox. The failures of workflows are made in there, where no setting is known. */
export const workflowBundle = async (
  codePath: string,
  keys: Config['codec_keys'],
): Promise<{ codePath: string } | { code: string }> =>
  keys.length === 0
    ? { codePath }
    : { code: `globalThis.ENCODES_FAILURES=true;${await readFile(codePath, 'utf8')}` };
