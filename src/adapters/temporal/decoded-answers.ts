/** Answers of the server that the SDK has not read: their payloads decrypted in place. */
import type { DataConverter } from '@temporalio/common';
import { visit } from '@temporalio/common/lib/internal-non-workflow/payload-visitor.js';

type Walk<Answer> = Parameters<typeof visit<Answer>>[1];

export async function decoded<Answer>(
  { payloadCodecs = [] }: DataConverter,
  answer: Answer,
  walk: Walk<Answer>,
): Promise<Answer> {
  for (const codec of payloadCodecs.toReversed()) {
    await visit(answer, walk, {
      transformPayloads: (payloads) => codec.decode(payloads),
      transformPayload: async (payload) => {
        const [only = payload] = await codec.decode([payload]);
        return only;
      },
      // The server searches by them: they are never encrypted.
      skipSearchAttributes: true,
    });
  }
  return answer;
}
