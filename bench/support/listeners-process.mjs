// Many readers of one event stream, each on a socket of its own, in a process that does little else.
// argv: url, count. Tells { open } when all have their first frame, and { seq, delays } when an event has reached all:
// milliseconds from its `at` to its arrival, one a reader. Ends with its parent.
import http from 'node:http';

const [url, count] = process.argv.slice(2);
const readers = Number(count);
const arrivals = new Map();
let open = 0;

function arrived(seq, at) {
  const delays = arrivals.get(seq) ?? [];
  arrivals.set(seq, delays);
  delays.push(Date.now() - Date.parse(at));
  if (delays.length < readers) return;
  arrivals.delete(seq);
  process.send({ seq, delays });
}

function read(response) {
  let text = '';
  let isOpen = false;
  response.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
    const frames = text.split('\n\n');
    text = frames.pop();
    for (const frame of frames) {
      if (!isOpen && frame.startsWith('event: snapshot')) {
        isOpen = true;
        open += 1;
        if (open === readers) process.send({ open });
      }
      const [, seq, at] = /\nid: (\d+)\n.*?"at":"([^"]+)"/s.exec(frame) ?? [];
      if (seq !== undefined) arrived(Number(seq), at);
    }
  });
}

const agent = new http.Agent({ keepAlive: false, maxSockets: Infinity });
for (let index = 0; index < readers; index += 1) {
  http.get(url, { agent }, read);
  // A listen queue holds some hundreds.
  if (index % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 10));
}
process.on('disconnect', () => process.exit(0));
