/** The events of a job as a reader of its stream gets them, to the end of the stream. What is not durable is left out. */
import type { JobEvent } from '../../src/domain/job/job.schema.js';
import { createSseParser } from '../../src/client/sse-parser.js';

export async function* eventStream(url: string): AsyncGenerator<JobEvent> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) {
    throw new Error(`expected a stream from ${url}, got ${String(response.status)}`);
  }
  const parser = createSseParser();
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    for (const { id, data } of parser.push(chunk))
      if (id !== null) yield JSON.parse(data) as JobEvent;
  }
}
