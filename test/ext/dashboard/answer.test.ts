import { describe, expect, it } from 'vitest';
import {
  type Asset,
  answerAsset,
  answerJson,
  answerRefusal,
  Refusal,
  withoutBody,
} from '../../../src/ext/dashboard/answer.ts';

it('JSON has its type and its length in bytes, and is not kept', async () => {
  const response = answerJson({ text: 'ü€' }, 202);
  expect(response.status).toBe(202);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'content-length': `${Buffer.byteLength('{"text":"ü€"}')}`,
    'cache-control': 'no-store',
  });
  expect(await response.text()).toBe('{"text":"ü€"}');
});

it('a refusal is JSON with its code and its message, and has its headers', async () => {
  const response = answerRefusal(new Refusal(405, 'method', 'not this one', { allow: 'POST' }));
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  expect(await response.json()).toEqual({ error: { code: 'method', message: 'not this one' } });
});

it('without its body an answer has its status and its headers', async () => {
  const full = answerJson({ a: 1 });
  const empty = withoutBody(full);
  expect([empty.status, await empty.text()]).toEqual([200, '']);
  expect([...empty.headers]).toEqual([...full.headers]);
});

describe('an asset', () => {
  const asset: Asset = { text: 'body {}', type: 'text/css; charset=utf-8' };

  it('has an ETag of its text, and may be kept by its reader alone', () => {
    const { headers } = answerAsset(asset, null);
    expect(headers.get('cache-control')).toBe('private, no-cache');
    expect(headers.get('etag')).toBe(answerAsset({ ...asset }, null).headers.get('etag'));
    expect(headers.get('etag')).not.toBe(answerAsset({ ...asset, text: 'x' }, null).headers.get('etag'));
  });

  it('is not sent again to a reader that has it', async () => {
    const etag = answerAsset(asset, null).headers.get('etag') as string;
    const again = answerAsset(asset, `"x", W/${etag}`);
    expect([again.status, await again.text(), again.headers.get('content-type')]).toEqual([304, '', null]);
    expect(answerAsset(asset, '"x"').status).toBe(200);
  });
});
