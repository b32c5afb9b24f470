/** Replicate's files API: uploads, their facts, their bytes. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Core } from '../core.js';
import { PROBLEMS, invalidInput, type Answer } from '../refusals.js';
import { said } from '../record.js';
import { sendBytes } from '../send-bytes.js';
import { expiryOf, type Upload } from '../uploads.js';
import { exchangeOf, sendAnswer } from '../exchange.js';
import { originOf } from './predictions.js';

const MAX_BYTES = 100 * 1024 * 1024;

interface One {
  Params: { id: string };
}

export function fileRoutes(app: FastifyInstance, core: Core): void {
  const find = (id: string): Upload | undefined => core.uploads.get(id, core.now());
  app.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.post('/v1/files', { bodyLimit: MAX_BYTES + 65_536 }, async (request, reply) => {
    const read = await readForm(request);
    if (!('bytes' in read)) {
      sendAnswer(exchangeOf(core, request, reply), read);
      return reply;
    }
    const { bytes, ...about } = read;
    return reply.code(201).send(viewOf(core, core.uploads.add(bytes, about, core.now()), request));
  });
  app.get('/v1/files', (request) => {
    const results = core.uploads
      .list()
      .filter(({ id }) => find(id) !== undefined)
      .map((upload) => viewOf(core, upload, request));
    return { previous: null, next: null, results };
  });
  app.get<One>('/v1/files/:id', (request, reply) => {
    const upload = find(request.params.id);
    if (upload !== undefined) return reply.send(viewOf(core, upload, request));
    sendAnswer(exchangeOf(core, request, reply), PROBLEMS.not_found);
    return reply;
  });
  app.delete<One>('/v1/files/:id', (request, reply) => {
    const upload = find(request.params.id);
    if (upload === undefined) {
      sendAnswer(exchangeOf(core, request, reply), PROBLEMS.not_found);
      return reply;
    }
    core.uploads.delete(upload.id);
    return reply.code(204).send();
  });
  app.get<One>('/v1/files/:id/download', (request, reply) => {
    const upload = find(request.params.id);
    const bytes = upload === undefined ? null : core.uploads.bytes(upload);
    if (upload === undefined || bytes === null) {
      sendAnswer(exchangeOf(core, request, reply), PROBLEMS.not_found);
      return reply;
    }
    return sendBytes(request, reply, {
      bytes,
      etag: `"${upload.sha256}"`,
      type: upload.content_type,
    });
  });
}

type Form = Pick<Upload, 'name' | 'content_type' | 'metadata'> & { bytes: Uint8Array };

async function readForm(request: FastifyRequest): Promise<Form | Answer> {
  const required = invalidInput([
    { type: 'required', field: '', description: 'content is required' },
  ]);
  if (!Buffer.isBuffer(request.body)) return required;
  const headers = { 'content-type': request.headers['content-type'] ?? '' };
  const response = new Response(new Uint8Array(request.body), { headers });
  // The stock parser is good enough for one client that is known, and needs no package.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const form = await response.formData().catch(() => null);
  const content = form?.get('content');
  if (!(content instanceof File)) return required;
  if (content.size > MAX_BYTES) return PROBLEMS.file_too_large;
  const [name, type] = [textField(form, 'filename'), textField(form, 'type')];
  return {
    name: name ?? content.name,
    content_type: type ?? (content.type === '' ? 'application/octet-stream' : content.type),
    metadata: await metadataOf(form),
    bytes: new Uint8Array(await content.arrayBuffer()),
  };
}

const textField = (form: FormData | null | undefined, name: string): string | null => {
  const value = form?.get(name);
  return typeof value === 'string' && value !== '' ? value : null;
};

/** Clients send it as text or as a small JSON file; what is neither counts as nothing. */
async function metadataOf(form: FormData | null | undefined): Promise<Record<string, unknown>> {
  const value = form?.get('metadata') ?? '{}';
  try {
    return JSON.parse(typeof value === 'string' ? value : await value.text()) as Record<
      string,
      unknown
    >;
  } catch {
    return {};
  }
}

function viewOf(core: Core, upload: Upload, request: FastifyRequest): object {
  return {
    id: upload.id,
    name: upload.name,
    content_type: upload.content_type,
    size: upload.size,
    etag: createHash('md5').update(upload.sha256).digest('hex'),
    checksums: { sha256: upload.sha256 },
    metadata: upload.metadata,
    created_at: said(upload.created_at, core.settings),
    expires_at: said(expiryOf(upload), core.settings),
    urls: { get: `${originOf(request)}/v1/files/${upload.id}` },
  };
}
