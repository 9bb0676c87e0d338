// A dashboard on virtual time, asked without a server.

import type { SupervisorOptions } from 'slotvisor';
import type { DashboardOptions } from 'slotvisor/dashboard';
import { onTestFinished } from 'vitest';
import { dashboardOf } from '../../../src/ext/dashboard/dashboard.ts';
import { type NamedSupervisor, parseDashboardOptions } from '../../../src/ext/dashboard/options.ts';
import { setup } from '../../support/setup.ts';

export const BASE = 'http://127.0.0.1:8080/admin/slots/';

/** What an action of the page carries. */
export const ACTION_HEADERS = { 'x-slotvisor': '1', 'content-type': 'application/json' };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The text as JSON. */
  readonly json: unknown;
}

export type World = ReturnType<typeof world>;

export function world(
  options: DashboardOptions = {},
  supervisorOptions: SupervisorOptions = {},
  more: readonly NamedSupervisor[] = [],
) {
  const { clock, supervisor } = setup(supervisorOptions);
  const named = [{ name: 'default', supervisor }, ...more];
  const board = dashboardOf(named, parseDashboardOptions(options), clock);
  onTestFinished(() => board.close());
  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await board.fetch(new Request(new URL(path, BASE), init));
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson && text !== '' ? JSON.parse(text) : undefined,
    };
  };
  const act = (kind: string, body: unknown, headers: Record<string, string> = {}, of = ''): Promise<Answer> =>
    ask(`api/actions/${kind}${of}`, {
      method: 'POST',
      headers: { ...ACTION_HEADERS, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { clock, supervisor, board, ask, act };
}

/** Reads a stream, message by message. */
export class Reader {
  readonly response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();

  constructor(response: Response) {
    this.response = response;
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  /** The next chunk: a frame. Undefined at the end. */
  async frame(): Promise<string | undefined> {
    const { value, done } = await this.#reader.read();
    return done ? undefined : this.#decoder.decode(value);
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

export interface Message {
  readonly event: string;
  readonly id?: string;
  readonly data: unknown;
}

/** The messages of a frame. */
export function messagesOf(frame: string): Message[] {
  return frame
    .split('\n\n')
    .filter((text) => text.includes('data: '))
    .map((text) => {
      const fields = new Map(text.split('\n').map((line) => line.split(/: (.*)/s) as unknown as [string, string]));
      const id = fields.get('id');
      return {
        event: fields.get('event') ?? '',
        ...(id !== undefined && { id }),
        data: JSON.parse(fields.get('data') ?? ''),
      };
    });
}
