/**
 * `npm run search-attributes`: gives a Temporal server of your own the search attributes that jobs are listed by. The embedded one
 * has them. Jobs and lists work without, only less of a filter is the server's work.
 */
import type { Connection } from '@temporalio/client';
import { connectTemporal } from '../adapters/temporal/connection.js';
import { loadConfig } from '../config.js';
import { SEARCH_ATTRIBUTES } from '../domain/job/visibility.js';
import { runCommand, UserError } from './process.js';

const CONNECT = 10_000;
const CALL = 30_000;

/** As the protocol numbers them. */
const TYPES = { Keyword: 2, Bool: 5, KeywordList: 7 } as const;

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

/** The names of those that were added. */
export const addSearchAttributes = (connection: Connection, namespace: string): Promise<string[]> =>
  connection.withDeadline(Date.now() + CALL, async () => {
    const { operatorService } = connection;
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const lacking = Object.entries(SEARCH_ATTRIBUTES).filter(([name, type]) => {
      const given = customAttributes[name];
      if (given === undefined || given === TYPES[type]) return given === undefined;
      throw new UserError(`${name}: expected a search attribute of type ${type}, got another`);
    });
    if (lacking.length > 0) {
      const searchAttributes = Object.fromEntries(
        lacking.map(([name, type]) => [name, TYPES[type]]),
      );
      await operatorService.addSearchAttributes({ namespace, searchAttributes });
    }
    return lacking.map(([name]) => name);
  });
