/**
 * Reads `text/event-stream` as the HTML standard (9.2.6) has it, from text cut anywhere. Pure; it
 * keeps the unfinished rest between calls and refuses nothing: unknown fields are skipped.
 */

export interface SseFrame {
  event: string;
  /** Null: the frame carries none, and the position stays what it was. */
  id: string | null;
  data: string;
}

export interface SseParser {
  /** The frames completed by this piece of text. */
  push(text: string): SseFrame[];
}

export function createSseParser(): SseParser {
  let rest = '';
  let draft: { event: string; id: string | null; data: string[] } = fresh();

  const finish = (): SseFrame[] => {
    const { event, id, data } = draft;
    draft = fresh();
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

  return {
    push(text) {
      rest += text;
      // A lone \r at the very end may be half of \r\n: it waits for the next piece.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      return lines.flatMap(line);
    },
  };
}

const fresh = (): { event: string; id: string | null; data: string[] } => ({
  event: '',
  id: null,
  data: [],
});
