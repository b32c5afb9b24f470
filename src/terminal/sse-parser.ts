/**
 * Text of an event stream → frames, by the rules of the HTML standard. Holds the unfinished rest between
 * chunks and nothing else; comments (keep-alives) make no frame.
 */

export interface SseFrame {
  event: string;
  /** Null: the frame carries none, and the position stays what it was. */
  id: string | null;
  data: string;
}

interface Unfinished {
  event: string;
  id: string | null;
  data: string[];
}

const nothing = (): Unfinished => ({ event: '', id: null, data: [] });

const FIELDS: Readonly<Record<string, (frame: Unfinished, value: string) => void>> = {
  event: (frame, value) => {
    frame.event = value;
  },
  id: (frame, value) => {
    frame.id = value;
  },
  data: (frame, value) => {
    frame.data.push(value);
  },
};

/** Returns a function that takes chunks of text and gives the frames they complete. */
export function sseParser(): (chunk: string) => SseFrame[] {
  let rest = '';
  let frame = nothing();
  return (chunk) => {
    rest += chunk;
    const frames: SseFrame[] = [];
    // A \r at the very end may be half of a \r\n: it waits for the next chunk.
    for (let end = rest.search(/\r\n|\n|\r(?!$)/); end >= 0; end = rest.search(/\r\n|\n|\r(?!$)/)) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + (rest.startsWith('\r\n', end) ? 2 : 1));
      if (line === '') {
        if (frame.data.length > 0) {
          const { event, id, data } = frame;
          frames.push({ event: event === '' ? 'message' : event, id, data: data.join('\n') });
        }
        frame = nothing();
        continue;
      }
      const colon = line.indexOf(':');
      const name = colon < 0 ? line : line.slice(0, colon);
      FIELDS[name]?.(frame, colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, ''));
    }
    return frames;
  };
}
