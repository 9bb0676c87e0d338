// A lease store that can say for how many supervisors it is.

import { Supervisor } from 'slotvisor';
import { expect, test } from 'vitest';

test('open is called once by each supervisor, in its constructor, and what it throws is thrown', () => {
  let opened = 0;
  const leases = {
    acquire: () => null,
    open() {
      opened += 1;
      if (opened === 2) throw new RangeError('I serve one supervisor');
    },
  };
  new Supervisor({ leases });
  expect(opened).toBe(1);
  expect(() => new Supervisor({ leases })).toThrow('I serve one supervisor');
});
