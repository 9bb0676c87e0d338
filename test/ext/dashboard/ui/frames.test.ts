import { expect, it } from 'vitest';
import { FrameReader } from '../../../../src/ext/dashboard/ui/frames.ts';

const TEXT = 'retry: 2000\n\nevent: state\ndata: {"a":1}\n\n: quiet\n\nid: e-7\nevent: events\ndata: {"gap":false}\n\n';
const FRAMES = [
  { event: 'state', data: '{"a":1}' },
  { event: 'events', data: '{"gap":false}', id: 'e-7' },
];

it('reads frames, and leaves comments and fields out', () => {
  expect(new FrameReader().read(TEXT)).toEqual(FRAMES);
});

it('reads the same from pieces of every size', () => {
  for (let size = 1; size < TEXT.length; size += 1) {
    const reader = new FrameReader();
    const pieces = TEXT.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
    expect(pieces.flatMap((piece) => reader.read(piece))).toEqual(FRAMES);
  }
});

it('keeps a colon and a space in the data', () => {
  expect(new FrameReader().read('event: state\ndata: a: b: c\n\n')).toEqual([{ event: 'state', data: 'a: b: c' }]);
});

it('gives no frame that is not whole', () => {
  expect(new FrameReader().read('event: state\ndata: {"a":')).toEqual([]);
});
