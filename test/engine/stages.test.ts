import { expect, test } from 'vitest';
import { Stages } from '../../src/engine/stages.ts';
import type { LiveSubmission } from '../../src/engine/submission.ts';
import { WaitingLine } from '../../src/policy/waiting-line.ts';

type Seen = Pick<LiveSubmission, 'place'> & { readonly settings: { readonly shutdownStage: number } };

function setup() {
  const stages = new Stages();
  const add = (shutdownStage: number, place: Seen['place']): Seen => {
    const one: Seen = { place, settings: { shutdownStage } };
    stages.add(one as LiveSubmission);
    return one;
  };
  return { stages, add };
}

test('the stages above one are each named once, ascending', () => {
  const { stages, add } = setup();
  for (const stage of [7, 0, 7, -3, 2]) add(stage, 'owner');
  expect(stages.above(-Infinity)).toEqual([-3, 0, 2, 7]);
  expect(stages.above(0)).toEqual([2, 7]);
});

test('a stage counts while one of its submissions owns its slot or waits', () => {
  const { stages, add } = setup();
  const line = new WaitingLine<never>();
  const [owner, waiting] = [add(1, 'owner'), add(1, line)];
  owner.place = 'done';
  expect(stages.above(0)).toEqual([1]);
  waiting.place = 'owner';
  expect(stages.above(0)).toEqual([1]);
  waiting.place = 'done';
  expect(stages.above(0)).toEqual([]);
});

test('a stage counts whichever of its submissions is left', () => {
  for (const left of [0, 1, 2]) {
    const { stages, add } = setup();
    for (const n of [0, 1, 2]) add(1, n === left ? 'owner' : 'done');
    expect(stages.above(0)).toEqual([1]);
  }
});

test('a stage whose submissions wait in a line that was cut off does not count', () => {
  const { stages, add } = setup();
  const line = new WaitingLine<never>();
  add(1, line);
  line.cut();
  expect(stages.above(0)).toEqual([]);
});
