// `npm run timelines`. Plays every story, and writes its picture beside this file.

import { writeFileSync } from 'node:fs';
import { draw } from './picture.ts';
import { play, STORIES } from './stories.ts';

for (const story of STORIES)
  writeFileSync(new URL(`${story.policy}.svg`, import.meta.url), draw(story, await play(story)));
