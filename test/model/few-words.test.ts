import { expect, test } from 'vitest';
import { FewWords } from '../../src/model/few-words.ts';

test('the first words are told apart, and each further one is another word', () => {
  const words = new FewWords(2, 'other');
  expect(['a', 'b', 'a', 'c', 'b', 'other'].map((word) => words.of(word))).toEqual([
    'a',
    'b',
    'a',
    'other',
    'b',
    'other',
  ]);
});
