// Options as they are kept. worker.test.ts has the refusals.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseModule, parseWorkerOptions } from '../../../src/ext/worker/options.ts';

describe('the module', () => {
  const path = resolve('job.js');
  test.for<readonly [what: string, module: unknown, href: string]>([
    ['an absolute path', path, pathToFileURL(path).href],
    ['a path with a space and a #', resolve('a job#1.js'), pathToFileURL(resolve('a job#1.js')).href],
    ['a file: URL', new URL('file:///jobs/a.js'), 'file:///jobs/a.js'],
    ['the text of a file: URL', 'file:///jobs/../a.js', 'file:///a.js'],
    ['a data: URL', new URL('data:text/javascript,export default 1'), 'data:text/javascript,export default 1'],
    ['the text of a data: URL', 'data:text/javascript,1', 'data:text/javascript,1'],
  ])('as %s is kept as the text of an absolute URL', ([, module, href]) => {
    expect(parseModule(module)).toBe(href);
  });

  test.for(['data', 'FILE.js', 'file//x', new URL('http://localhost/job.js')])(
    '%s is refused by the field module',
    (module) => {
      expect(() => parseModule(module)).toThrow(expect.objectContaining({ name: 'OptionError', field: 'module' }));
    },
  );
});

test('options that are left out have their defaults', () => {
  const defaults = { export: 'default', workerData: undefined, resourceLimits: {}, execArgv: undefined };
  expect(parseWorkerOptions({})).toEqual(defaults);
  expect(parseWorkerOptions({ export: undefined, resourceLimits: { stackSizeMb: undefined } })).toEqual(defaults);
});

test('workerData is a clone, in which shared memory stays shared', () => {
  const memory = new Int32Array(new SharedArrayBuffer(4));
  const given = { nested: { n: 1 }, memory };
  const kept = parseWorkerOptions({ workerData: given }).workerData as typeof given;
  given.nested.n = 2;
  memory[0] = 3;
  expect(kept.nested).toEqual({ n: 1 });
  expect(kept.memory[0]).toBe(3);
});

test('flags and limits are copies, so changing what was given changes nothing', () => {
  const execArgv = ['--import', 'tsx'];
  const resourceLimits = { maxOldGenerationSizeMb: 64, stackSizeMb: 1 };
  const kept = parseWorkerOptions({ execArgv, resourceLimits });
  execArgv.push('--inspect');
  resourceLimits.stackSizeMb = 0;
  expect(kept).toMatchObject({
    execArgv: ['--import', 'tsx'],
    resourceLimits: { maxOldGenerationSizeMb: 64, stackSizeMb: 1 },
  });
});
