// Reads the text of an event stream (server-sent events), which comes in pieces of any size. The
// page reads the stream by fetch, not by EventSource: so it sees the status of an answer, and the
// comments that say that the server is there.

export interface Frame {
  readonly event: string;
  readonly data: string;
  /** Absent where the frame has none. */
  readonly id?: string;
}

export class FrameReader {
  #rest = '';

  /** The frames that are whole now. Comments and fields that the page does not use are dropped. */
  read(piece: string): Frame[] {
    const parts = (this.#rest + piece).split('\n\n');
    this.#rest = parts.pop() ?? '';
    return parts.map(frameOf).filter((frame) => frame.data !== '');
  }
}

function frameOf(text: string): Frame {
  const fields: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    fields[name] = value;
  }
  const { event = 'message', data = '', id } = fields;
  return { event, data, ...(id !== undefined && { id }) };
}
