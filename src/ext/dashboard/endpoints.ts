// What can be read as JSON: one function for each endpoint.

import { refuse } from '../../kit.ts';
import { answerJson, Refusal } from './answer.ts';
import { Frames } from './frames.ts';
import { readEventQuery, readSlotName, readStep, readText } from './params.ts';
import { readSlotQuery } from './query.ts';
import type { Endpoint } from './router.ts';
import type { Streams } from './stream.ts';
import type { AllWatched, Watched } from './watched.ts';

/** What the endpoints read. */
export interface Sources {
  readonly everything: AllWatched;
  readonly streams: Streams;
  /** @throws Refusal unless the request may look at this supervisor. */
  checkView(request: Request, of: string): Promise<void>;
}

/** How long a stream is open before it is asked again whether it may look, in ms. */
const ASK_MS = 60_000;

interface Asked {
  readonly request: Request;
  readonly params: URLSearchParams;
  readonly watched: Watched;
}

type AnswerOf = (asked: Asked, sources: Sources) => Response | Promise<Response>;

/** @throws OptionError for a bad parameter; Refusal. */
export const ENDPOINT_ANSWERS: Readonly<Record<Endpoint, AnswerOf>> = {
  summary: async ({ watched }, { everything }) => answerJson(await everything.summary(watched, 0)),
  slots: async ({ watched, params }) => answerJson(await watched.page(readSlotQuery(params), 0)),
  slot: ({ watched, params }) => {
    const name = readSlotName(params, 'name') ?? refuse('name', 'must be given', params.get('name') ?? undefined);
    const detail = watched.detail(name);
    if (detail === undefined) throw new Refusal(404, 'unknownSlot', 'nothing is in this slot, or remembered of it');
    return answerJson(detail);
  },
  events: ({ watched, params }) => answerJson(watched.recorder.events(readEventQuery(params))),
  problems: ({ watched }) => answerJson({ problems: watched.recorder.problems() }),
  schedules: ({ watched }) => answerJson({ schedules: watched.scheduleRows(0) }),
  series: ({ watched, params }, { everything }) =>
    answerJson(watched.recorder.series(readStep(params), everything.now)),
  fleet: async ({ params }, { everything }) => {
    const page = await everything.fleetPage(readText(params));
    if (page === undefined) throw new Refusal(404, 'noFleet', 'this dashboard has no fleet (see the option fleet)');
    return answerJson(page);
  },
  stream: ({ request, watched, params }, sources) => {
    const { everything, streams } = sources;
    const frames = new Frames(watched, everything, params, request.headers.get('last-event-id'));
    let askedAt = everything.now;
    return streams.open(request, async () => {
      // The clock may have been set back.
      if (Math.abs(everything.now - askedAt) >= ASK_MS) {
        askedAt = everything.now;
        await sources.checkView(request, watched.name);
      }
      return frames.next();
    });
  },
};
