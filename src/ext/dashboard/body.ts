// Reads the body of a request: JSON, of a bounded length.

import { Refusal } from './answer.ts';

/** The longest body, in bytes. */
export const MAX_BODY = 65_536;

const tooLong = (): Refusal => new Refusal(413, 'tooLarge', `the body must be at most ${MAX_BODY} bytes`);

/** @throws Refusal if it is too long, or no JSON. */
export async function readJson(request: Request): Promise<unknown> {
  // What is longer by its own words is not read.
  if (Number(request.headers.get('content-length')) > MAX_BODY) throw tooLong();
  const bytes = await readBytes(request.body);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal(400, 'json', 'the body must be JSON (and must not have been read before it came here)');
  }
}

/** Counts what comes: the header can say less, or nothing. */
async function readBytes(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body ?? []) {
      length += chunk.byteLength;
      if (length > MAX_BODY) throw tooLong(); // leaving the loop cancels the rest
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, 'body', 'the body ended before it was complete');
  }
  return Buffer.concat(chunks, length);
}
