// The work of the tour: reads, hashes and compresses the files of this repository.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { inSpan } from './spans.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const gzip = promisify(zlib.gzip);

export const folders = ['src', 'test', 'examples'];

export async function filesOf(...within: string[]): Promise<string[]> {
  const listings = within.map((folder) => readdir(join(root, folder), { recursive: true, withFileTypes: true }));
  const files = (await Promise.all(listings)).flat().filter((entry) => entry.isFile());
  return files.map((file) => join(file.parentPath, file.name));
}

export async function hashOf(file: string, signal: AbortSignal): Promise<string> {
  const content = await readFile(file, { signal }); // a stop request ends the read
  return createHash('sha256').update(content).digest('hex');
}

export async function compress(files: readonly string[], signal: AbortSignal): Promise<{ size: number; data: Buffer }> {
  const contents = await inSpan(`read ${files.length} files`, () =>
    Promise.all(files.map((file) => readFile(file, { signal }))),
  );
  const whole = Buffer.concat(contents);
  return { size: whole.length, data: await inSpan('gzip', () => gzip(whole)) };
}
