// The diagnostics channel `tracing:slotvisor:attempt`. It is a probe like any other, so it is
// called at the same guarded places.

import { TraceChannel } from '../kernel/trace-channel.ts';
import type { AttemptProbe, AttemptReport, Probe, ProbedAttempt } from '../model/probe.ts';

/** Shared by all supervisors of the process. */
const channel = new TraceChannel('slotvisor:attempt');

/** Publishes the attempts of one supervisor. */
export class AttemptChannel implements Probe {
  readonly #supervisor: object;

  constructor(supervisor: object) {
    this.#supervisor = supervisor;
  }

  static get isHeard(): boolean {
    return channel.isHeard;
  }

  attempt(info: ProbedAttempt): AttemptProbe {
    const message = { supervisor: this.#supervisor, ...info };
    return {
      run: (body) => channel.run(message, body),
      ended: (report) => {
        const failed = errorOf(report);
        channel.ended(Object.assign(message, report, failed), failed !== undefined);
      },
    };
  }
}

/** An attempt that was asked to stop has not failed, whatever it threw. */
function errorOf({ end, failure }: AttemptReport): { readonly error: unknown } | undefined {
  if (failure === undefined || end === 'canceled') return undefined;
  return { error: failure.kind === 'thrown' ? failure.error : failure };
}
