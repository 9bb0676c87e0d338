// Questions and requests beside the stream.

import type { ActionAnswer, ErrorAnswer } from '../wire.ts';
import type { Ask } from './asks.ts';

export const getJson = async <Answer,>(path: string): Promise<Answer> => answerOf<Answer>(await fetch(`api/${path}`));

export async function act({ kind, target }: Ask, of: string): Promise<ActionAnswer> {
  const query = of === '' ? '' : `?${new URLSearchParams({ of })}`;
  const response = await fetch(`api/actions/${kind}${query}`, {
    method: 'POST',
    // No other site can send these without being asked first, and the server says no then.
    headers: { 'content-type': 'application/json', 'x-slotvisor': '1' },
    body: JSON.stringify(target),
  });
  return answerOf(response);
}

async function answerOf<Answer>(response: Response): Promise<Answer> {
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as Answer;
  throw new Error((answer as ErrorAnswer | undefined)?.error.message ?? `The server answered ${response.status}.`);
}
