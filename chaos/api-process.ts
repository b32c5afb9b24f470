/** The API of a chaos run, exactly as `npm run api` starts it, with a clock that may jump. */
import './jumping-clock.js';
import { main } from '../src/commands/api.js';

process.exit(await main());
