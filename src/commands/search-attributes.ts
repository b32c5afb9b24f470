/**
 * `npm run search-attributes`: adds the search attributes of jobs to a Temporal server of your own. The embedded server
 * has them. Without them jobs and lists work too, but the API filters what the server could.
 */
import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { connectTemporal } from '../adapters/temporal/connection.js';
import { loadConfig } from '../config.js';
import { SEARCH_ATTRIBUTES } from '../domain/job/visibility.js';
import { runCommand, UserError } from './process.js';

const CONNECT = 10_000;
const CALL = 30_000;

const { IndexedValueType } = proto.temporal.api.enums.v1;
const TYPES = {
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  Bool: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
  KeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
} as const;

export const main = (): Promise<number> =>
  runCommand(async () => {
    const { namespace, connection: options } = loadConfig().temporal;
    const connection = await connectTemporal({ ...options, connectTimeout: CONNECT });
    try {
      const added = await addSearchAttributes(connection, namespace);
      for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES)) {
        console.log(`${name} (${type}): ${added.includes(name) ? 'added' : 'was there'}`);
      }
      return 0;
    } finally {
      await connection.close();
    }
  });

/** Resolves to the names of those that were missing. */
export const addSearchAttributes = (connection: Connection, namespace: string): Promise<string[]> =>
  connection.withDeadline(Date.now() + CALL, async () => {
    const { operatorService } = connection;
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const missing = Object.entries(SEARCH_ATTRIBUTES).filter(([name, type]) => {
      const given = customAttributes[name];
      if (given === undefined || given === TYPES[type]) return given === undefined;
      throw new UserError(`${name}: expected a search attribute of type ${type}, got another`);
    });
    if (missing.length > 0) {
      const searchAttributes = Object.fromEntries(
        missing.map(([name, type]) => [name, TYPES[type]]),
      );
      await operatorService.addSearchAttributes({ namespace, searchAttributes });
    }
    return missing.map(([name]) => name);
  });
