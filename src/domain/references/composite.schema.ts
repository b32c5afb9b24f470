/** An image to be built of several, uploaded, and sent as one input of the model. */
import { z } from 'zod';

export const compositeSchema = z.object({
  input: z.string().meta({ description: 'The model input that takes the composite.' }),
  as_list: z.literal(true).exactOptional().meta({ description: 'That input takes a list.' }),
  aspect_ratio: z.string(),
  scene_url: z.string(),
  character_urls: z.array(z.string()),
  object_urls: z.array(z.string()),
});
export type CompositeReference = z.infer<typeof compositeSchema>;
