import { describe, expect, it, test } from 'vitest';
import { MAX_BODY, readJson } from '../../../src/ext/dashboard/body.ts';

/** A body in chunks, which counts how many of them were asked for. */
function chunked(chunks: readonly (string | Uint8Array)[], headers: Record<string, string> = {}) {
  const read = { chunks: 0, canceled: false };
  const left = [...chunks];
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = left.shift();
        if (chunk === undefined) return controller.close();
        read.chunks += 1;
        controller.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk);
      },
      cancel() {
        read.canceled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const request = new Request('http://a/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
  return { request, read };
}

const long = (bytes: number): string => `"${'x'.repeat(bytes - 2)}"`;

it('a body of the longest length is read, in whatever chunks it comes', async () => {
  const text = long(MAX_BODY);
  expect(await readJson(chunked([text]).request)).toHaveLength(MAX_BODY - 2);
  expect(await readJson(chunked(Array.from(text.match(/.{1,1000}/g) ?? [])).request)).toHaveLength(MAX_BODY - 2);
});

it('a character may be cut by a chunk', async () => {
  const bytes = new TextEncoder().encode('"ü€"');
  expect(await readJson(chunked([bytes.slice(0, 2), bytes.slice(2, 4), bytes.slice(4)]).request)).toBe('ü€');
});

describe('a body that is too long is refused with 413', () => {
  const tooLarge = { status: 413, code: 'tooLarge', message: 'the body must be at most 65536 bytes' };

  it('by its content-length, before anything is read', async () => {
    const { request, read } = chunked(['{}'], { 'content-length': `${MAX_BODY + 1}` });
    await expect(readJson(request)).rejects.toMatchObject(tooLarge);
    expect(read.chunks).toBe(0);
  });

  const rows: readonly [name: string, headers: Record<string, string>][] = [
    ['without a content-length', {}],
    ['with one that says less', { 'content-length': '2' }],
    ['with one that is no number', { 'content-length': 'many' }],
    ['with a negative one', { 'content-length': '-1' }],
  ];
  for (const [name, headers] of rows)
    test(`${name}, as soon as the limit is passed`, async () => {
      const { request, read } = chunked(Array<string>(1_000).fill('x'.repeat(1_024)), headers);
      await expect(readJson(request)).rejects.toMatchObject(tooLarge);
      expect(read).toEqual({ chunks: 65, canceled: true });
    });
});

describe('what is no JSON is refused with 400', () => {
  for (const text of ['', '{', '{"slot": }', "{'slot': 'a'}", '{"a":1} x', 'undefined', 'NaN'])
    test(JSON.stringify(text), async () => {
      await expect(readJson(chunked([text]).request)).rejects.toMatchObject({ status: 400, code: 'json' });
    });

  test('bytes that are no UTF-8', async () => {
    const { request } = chunked([new Uint8Array([0x22, 0xff, 0x22])]);
    await expect(readJson(request)).rejects.toMatchObject({ status: 400, code: 'json' });
  });

  test('no body at all', async () => {
    const request = new Request('http://a/', { method: 'POST' });
    await expect(readJson(request)).rejects.toMatchObject({ status: 400, code: 'json' });
  });
});

it('a body that breaks off is refused with 400', async () => {
  const body = new ReadableStream({ pull: (controller) => controller.error(new Error('secret')) });
  const request = new Request('http://a/', { method: 'POST', body, duplex: 'half' } as RequestInit);
  await expect(readJson(request)).rejects.toMatchObject({
    status: 400,
    code: 'body',
    message: expect.not.stringContaining('secret'),
  });
});
