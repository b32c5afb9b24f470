/**
 * Answers of the server that the SDK has not read: their payloads decrypted in place. `keepUnreadable`: those that cannot be
 * stay as they are, so that a job of other keys does not hide all others of a list.
 */
import type { DataConverter, Payload } from '@temporalio/common';
import { visit } from '@temporalio/common/lib/internal-non-workflow/payload-visitor.js';

type Walk<Answer> = Parameters<typeof visit<Answer>>[1];

export async function decoded<Answer>(
  { payloadCodecs = [] }: DataConverter,
  answer: Answer,
  walk: Walk<Answer>,
  { keepUnreadable = false }: { keepUnreadable?: boolean } = {},
): Promise<Answer> {
  const kept =
    (payload: Payload) =>
    (error: unknown): Payload => {
      if (keepUnreadable) return payload;
      throw error;
    };
  for (const codec of payloadCodecs.toReversed()) {
    await visit(answer, walk, {
      transformPayloads: (payloads) => codec.decode(payloads),
      transformPayload: (payload) =>
        codec.decode([payload]).then(([only = payload]) => only, kept(payload)),
      // The server searches by them: they are never encrypted.
      skipSearchAttributes: true,
    });
  }
  return answer;
}
