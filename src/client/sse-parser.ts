/**
 * Reads `text/event-stream` as the HTML standard (9.2.6) has it, from text cut anywhere. Pure; it
 * keeps the unfinished rest between calls, in time and space linear in what comes. Unknown fields are skipped; only a frame
 * without an end is refused, so that no server can make its reader grow.
 */

export interface SseFrame {
  event: string;
  /** Null: the frame carries none, and the position stays what it was. */
  id: string | null;
  data: string;
}

export interface SseParser {
  /** The frames completed by this piece of text. Throws a RangeError when one is too long; nothing comes after that. */
  push(text: string): SseFrame[];
}

/** Characters of one frame, its unfinished end included; the largest job has a few millions. */
export const MAX_FRAME = 2 ** 24;

export function createSseParser(most = MAX_FRAME): SseParser {
  /** Pieces of the line that has not ended. */
  let rest: string[] = [];
  /** Characters of the frame that has not ended. */
  let size = 0;
  /** The text before ended in \r: a \n in front of the next one belongs to it. */
  let wasReturn = false;
  let draft: { event: string; id: string | null; data: string[] } = fresh();

  const finish = (): SseFrame[] => {
    const { event, id, data } = draft;
    draft = fresh();
    size = 0;
    return data.length === 0 ? [] : [{ event: event || 'message', id, data: data.join('\n') }];
  };

  const line = (text: string): SseFrame[] => {
    if (text === '') return finish();
    const colon = text.indexOf(':');
    const field = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') draft.event = value;
    else if (field === 'id') draft.id = value;
    else if (field === 'data') draft.data.push(value);
    return [];
  };

  const endLine = (end: string): SseFrame[] => {
    rest.push(end);
    const whole = rest.join('');
    rest = [];
    return line(whole);
  };

  return {
    push(piece) {
      if (piece === '') return [];
      const text = wasReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
      wasReturn = piece.endsWith('\r');
      const [first = '', ...others] = text.split(/\r\n|\n|\r/);
      const last = others.pop();
      const add = (part: string): void => {
        size += part.length + 1;
        if (size > most)
          throw new RangeError(`expected frames of at most ${String(most)} characters`);
      };
      add(first);
      if (last === undefined) {
        if (first !== '') rest.push(first);
        return [];
      }
      const frames = [
        ...endLine(first),
        ...others.flatMap((part) => {
          add(part);
          return line(part);
        }),
      ];
      add(last);
      if (last !== '') rest.push(last);
      return frames;
    },
  };
}

const fresh = (): { event: string; id: string | null; data: string[] } => ({
  event: '',
  id: null,
  data: [],
});
