import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPlanFile } from '../../src/commands/plan-file.js';
import { testFolder } from '../support/test-folder.js';

let folder: string;
beforeAll(() => {
  const own = testFolder('plans');
  folder = own.path;
  return own.remove;
});

async function reading(content: string | Buffer) {
  const file = path.join(folder, 'plan.json');
  await writeFile(file, content);
  return readPlanFile(file);
}

describe('a plan file', () => {
  it('is read as JSON, with any content', async () => {
    expect(await reading('{"clip_prompts": []}')).toEqual({
      ok: true,
      value: { clip_prompts: [] },
    });
  });

  it.each([
    ['{\n  "clip_prompts": [\n    {"clip_index": 0,,}\n]}', 'got "," at line 3, column 22'],
    ['{"clip_prompts": [', 'got the end of the file at line 1, column 19'],
    ['', 'got an empty file'],
    [Buffer.from([0xff, 0xfe, 0x7b]), 'expected JSON in UTF-8'],
    ['"' + 'x'.repeat(1024 * 1024) + '"', 'expected at most 1048576 bytes'],
  ])('is refused with the place of its mistake (%#)', async (content, part) => {
    const result = await reading(content);
    expect(result).toMatchObject({ ok: false });
    expect(result.ok ? '' : result.message).toContain(part);
  });

  it('is refused when it is not there, or no file', async () => {
    const missing = await readPlanFile(path.join(folder, 'nowhere.json'));
    expect(missing.ok ? '' : missing.message).toContain('there is no such file');
    const directory = await readPlanFile(folder);
    expect(directory.ok ? '' : directory.message).toContain('it is a folder');
  });

  it('may be endless without harm', async () => {
    const endless = await readPlanFile('/dev/zero');
    expect(endless.ok ? '' : endless.message).toContain('expected at most');
  });
});
