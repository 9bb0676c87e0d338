// The diagnostics channel `tracing:slotvisor:attempt`: what Node's TracingChannel is for, with one
// message object for each attempt. It is a probe like any other, so the core publishes at the same
// guarded places.

import { tracingChannel } from 'node:diagnostics_channel';
import type { AttemptProbe, AttemptReport, Probe, ProbedAttempt } from '../model/probe.ts';

/** Shared by all supervisors of the process. To make it is nothing that anybody could notice. */
const channel = tracingChannel<object, object>('slotvisor:attempt');

/** Subscribers may write to it: they keep their span there. */
interface Message extends ProbedAttempt, Partial<AttemptReport> {
  readonly supervisor: object;
  error?: unknown;
}

/** Publishes the attempts of one supervisor. */
export class AttemptChannel implements Probe {
  readonly #supervisor: object;

  constructor(supervisor: object) {
    this.#supervisor = supervisor;
  }

  static get isHeard(): boolean {
    return channel.hasSubscribers;
  }

  attempt(info: ProbedAttempt): AttemptProbe | undefined {
    if (!channel.hasSubscribers) return undefined;
    const message: Message = { supervisor: this.#supervisor, ...info };
    return {
      run: (body) => channel.start.runStores(message, () => publishAround(message, body)),
      ended: (report) => publishEnd(message, report),
    };
  }
}

function publishAround<R>(message: Message, body: () => R): R {
  try {
    return body();
  } finally {
    channel.end.publish(message);
  }
}

function publishEnd(message: Message, report: AttemptReport): void {
  Object.assign(message, report);
  const { end, failure } = report;
  if (failure !== undefined && end !== 'canceled') {
    message.error = failure.kind === 'thrown' ? failure.error : failure;
    channel.error.publish(message);
  }
  channel.asyncStart.publish(message);
  channel.asyncEnd.publish(message);
}
