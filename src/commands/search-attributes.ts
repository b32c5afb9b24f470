/**
 * `npm run search-attributes`: gives a Temporal server of your own the search attributes that jobs are listed by. The embedded one
 * has them. Jobs and lists work without, only less of a filter is the server's work.
 */
import { temporal } from '@temporalio/proto';
import { connectTemporal } from '../adapters/temporal-connection.js';
import { loadConfig } from '../config.js';
import { SEARCH_ATTRIBUTES } from '../domain/visibility.js';
import { runCommand, UserError } from './process.js';

const CONNECT = 10_000;
const CALL = 30_000;

const { IndexedValueType } = temporal.api.enums.v1;
const TYPES = {
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  KeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  Bool: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
};

export const main = (): Promise<number> =>
  runCommand(async () => {
    const { namespace, connection: options } = loadConfig().temporal;
    const connection = await connectTemporal({ ...options, connectTimeout: CONNECT });
    try {
      await connection.withDeadline(Date.now() + CALL, async () => {
        const { operatorService } = connection;
        const known = (await operatorService.listSearchAttributes({ namespace })).customAttributes;
        const lacking: Record<string, temporal.api.enums.v1.IndexedValueType> = {};
        for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES)) {
          const given = known[name];
          if (given === undefined) lacking[name] = TYPES[type];
          else if (given !== TYPES[type]) {
            throw new UserError(
              `${name}: expected a search attribute of type ${type}, got another`,
            );
          }
        }
        if (Object.keys(lacking).length > 0) {
          await operatorService.addSearchAttributes({ namespace, searchAttributes: lacking });
        }
        for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES)) {
          console.log(`${name} (${type}): ${name in lacking ? 'added' : 'was there'}`);
        }
      });
      return 0;
    } finally {
      await connection.close();
    }
  });
