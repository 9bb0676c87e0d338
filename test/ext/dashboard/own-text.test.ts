import { expect, test } from 'vitest';
import { OwnNames, ownText } from '../../../src/ext/dashboard/own-text.ts';
import { heapBytes } from '../../support/heap.ts';

test.each(['', 'a', 'ünïcode 🙂', '\ud800 alone', '"quoted" \\ \n \u2028'])('a copy is the same text: %j', (text) => {
  expect(ownText(text)).toBe(text);
  expect(new OwnNames().of(text)).toBe(text);
});

test('a copy of a part does not hold the whole', () => {
  const names = new OwnNames();
  const kept: string[] = [];
  const before = heapBytes();
  for (let i = 0; i < 40; i += 1) {
    const whole = `${i}-${'x'.repeat(1_000_000)}-${i}`.normalize();
    kept.push(ownText(whole.slice(0, 50)), names.of(whole.slice(-50)));
  }
  expect(heapBytes() - before).toBeLessThan(10_000_000);
  expect(kept.length).toBe(80);
});

test('a name that comes often is one string, and names of any number do not pile up', () => {
  const names = new OwnNames();
  const before = heapBytes();
  for (let i = 0; i < 100_000; i += 1) names.of(`${i}`.padEnd(500, '.'));
  expect(heapBytes() - before).toBeLessThan(10_000_000);
  expect(names.of('still in use')).toBe('still in use');
});
