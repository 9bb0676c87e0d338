// A body that runs until a stop request: it hashes the files of this repository again and again,
// and saves a manifest before it ends.

import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { TaskBody } from 'slotvisor';
import { filesOf, folders, hashOf } from './repository.ts';
import type { Timeline } from './timeline.ts';

interface Manifest {
  readonly revision: number;
  readonly hashes: Record<string, string>;
}

export function syncLoop(path: string, revision: number, timeline: Timeline): TaskBody<never> {
  return async (ctx) => {
    // All revisions write to this file. It is complete here: the last revision has ended.
    const last: Manifest | undefined = existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : undefined;
    if (last !== undefined)
      timeline.note(ctx.slot, 'handover', `revision ${revision} goes on from what ${last.revision} saved`);

    const hashes = { ...last?.hashes };
    let passes = 0;
    try {
      for (;;) {
        for (const file of await filesOf(...folders)) hashes[file] = await hashOf(file, ctx.signal);
        passes += 1;
        await ctx.sleep(100);
      }
    } finally {
      // The slot is busy until this is done.
      await writeFile(path, JSON.stringify({ revision, hashes }));
      timeline.note(ctx.slot, 'saved', `revision ${revision}, ${Object.keys(hashes).length} files, ${passes} passes`);
    }
  };
}
