/** The API of a chaos run, exactly as `npm run api` starts it. */
import { main } from '../src/commands/api.js';

process.exit(await main());
