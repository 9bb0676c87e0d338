// What the load program and the process that it measures say to each other.

export interface Usage {
  readonly atMs: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly submitted: number;
  readonly eventsDropped: number;
}

/** One answer with a page of slots. */
export interface Page {
  readonly query: string;
  readonly ms: number;
  readonly cpuMs: number;
  /** The longest block of the event loop meanwhile. */
  readonly blockMs: number;
}

export interface Answers {
  /** Starts the dashboard, and answers with its port. */
  readonly open: number;
  readonly close: true;
  readonly usage: Usage;
  readonly usageAfterGc: Usage;
  /** The connections that its server has. */
  readonly connections: number;
  readonly pages: readonly Page[];
  /** In bytes. */
  readonly memory: number;
  readonly end: true;
}
export type Command = keyof Answers;
