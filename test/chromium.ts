// Where the Chromium of one test run is. Each test file that needs it starts one of its own.

import { relative } from 'node:path';
import type { TestProject } from 'vitest/node';
import { chromiumHere } from './support/chromium.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The command that starts it. `undefined`: none is installed, or no file needs it. */
    chromium: string | undefined;
  }
}

export default function setup(project: TestProject): void {
  const files = project.vitest.state
    .getPaths()
    .map((path) => relative(project.config.root, path).replaceAll('\\', '/'))
    .filter((file) => file.startsWith('test/dashboard/'));
  if (files.length === 0) return;

  const command = chromiumHere();
  if (command !== undefined) project.provide('chromium', command);
  else if (process.env.REQUIRE_CHROMIUM === '1')
    throw new Error('REQUIRE_CHROMIUM is 1, and no chromium is on the PATH: install it, or set CHROMIUM_PATH');
  else
    console.log(
      `The tests in Chromium are left out: install chromium, or set CHROMIUM_PATH, to run them.\n  ${files.sort().join('\n  ')}`,
    );
}
