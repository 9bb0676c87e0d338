import { describe, expect, it } from 'vitest';
import { type NamedCheck, reportOf } from '../../../src/ext/health/report.ts';
import { fail, type HealthCheck, PASS, warn } from '../../../src/ext/health/slot-check.ts';

const look = { phase: 'open', loop: { p99Ms: 0, maxMs: 0, slowWindows: 0 } } as const;

describe('a report', () => {
  it('has the worst status of all that was found, in any order', () => {
    const found: readonly HealthCheck[] = [PASS, warn('w'), fail('f')];
    for (const one of found)
      for (const other of found) {
        const worst = found[Math.max(found.indexOf(one), found.indexOf(other))]?.status;
        expect(reportOf(look, [one, other], []).status).toBe(worst);
        expect(reportOf(look, [one], [['slot', other]]).status).toBe(worst);
      }
    expect(reportOf(look, [], []).status).toBe('pass');
  });

  it('says why, the slots last, each with its name', () => {
    const checks: NamedCheck[] = [
      ['a', PASS],
      ['b', warn('slow')],
    ];
    expect(reportOf(look, [PASS, fail('closed')], checks)).toEqual({
      status: 'fail',
      why: ['closed', 'slot "b": slow'],
      checks: { a: { status: 'pass' }, b: { status: 'warn', why: 'slow' } },
      ...look,
    });
  });

  it('is plain data, whatever a slot is called', () => {
    const checks: NamedCheck[] = ['__proto__', 'toJSON', 'a\u2028b\n'].map((name) => [name, fail('no')]);
    const report = JSON.parse(JSON.stringify(reportOf(look, [], checks)));
    expect(Object.entries(report.checks)).toEqual(checks);
    expect(report.why).toEqual(['slot "__proto__": no', 'slot "toJSON": no', 'slot "a\\u2028b\\n": no']);
  });
});
