import { describe, expect, test } from 'vitest';
import { hintFor, nearest, SAME_AS } from '../../src/model/hint.ts';
import { SPEC_KEYS } from '../../src/model/spec.ts';

const KNOWN = ['run', 'slot', 'maxRetries', 'timeoutMs', 'queueTimeoutMs', 'backoff', 'admission', 'signal'];
const INNER = ['backoff.firstMs', 'backoff.factor'];

describe('the hint about an unknown option', () => {
  test.each([
    ['timeoutMS', 'timeoutMs'],
    ['timeout', 'timeoutMs'],
    ['maxRetrys', 'maxRetries'],
    ['retries', 'maxRetries'],
    ['abortSignal', 'signal'],
    ['Slot', 'slot'],
    ['firstMs', 'backoff.firstMs'],
    ['firstms', 'backoff.firstMs'],
    ['attempts', 'maxRetries'],
    ['key', 'slot'],
    ['fn', 'run'],
  ])('for `%s` names %s', (key, path) => {
    expect(hintFor(key, KNOWN, INNER)).toBe(`did you mean ${path}?`);
  });

  test.each([
    ['queueLimit', /slotDefaults/],
    ['finishMs', /shutdown/],
    ['concurrency', /new Supervisor\(\)/],
    ['maxConcurrency', /new Supervisor\(\)/],
    ['cron', /slotvisor\/cron/],
    ['every', /periodic/],
    ['kill', /\{ run: task \}/],
  ])('for `%s` says where it belongs', (key, text) => {
    expect(hintFor(key, KNOWN, INNER)).toMatch(text);
  });

  test.each(['colour', 'timer', 'xy', '', 'x'.repeat(41)])(
    'for `%s` lists the known options, and no inner one',
    (key) => {
      expect(hintFor(key, KNOWN, INNER)).toBe(`known: ${KNOWN.join(', ')}`);
    },
  );

  test('prefers an option of this object to an inner one', () => {
    expect(hintFor('slots', ['slot'], ['task.slots1'])).toBe('did you mean slot?');
    expect(hintFor('run', ['cron', 'task'], ['task.run'])).toBe('did you mean task.run?');
  });

  test.each([...SAME_AS])('needs its entry for `%s`: the nearest name is not %s', (word, meant) => {
    expect(hintFor(word, [meant], [])).toBe(`did you mean ${meant}?`);
    expect(nearest(word, SPEC_KEYS)).not.toBe(`did you mean ${meant}?`);
  });
});
