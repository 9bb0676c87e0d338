// What one call of `submit` asks for. It becomes a submission when its slot admits it.

import { isAborted } from '../kernel/abort-listeners.ts';
import type { TaskIds } from '../model/id.ts';
import type { AdmissionPolicy } from '../model/settings.ts';
import type { ParsedSpec } from '../model/spec.ts';

export class SubmitCall {
  readonly number: number;
  readonly spec: ParsedSpec;
  readonly policy: AdmissionPolicy;
  readonly slot: string;
  readonly name: string;

  /** `slot`: undefined where the spec gives neither slot nor name. It then has one of its own. */
  constructor(ids: TaskIds, number: number, spec: ParsedSpec, slot: string | undefined, policy: AdmissionPolicy) {
    this.number = number;
    this.spec = spec;
    this.policy = policy;
    this.slot = slot ?? ids.text(number);
    this.name = spec.name ?? this.slot;
  }

  /** The caller's signal is aborted. */
  get isSignalAborted(): boolean {
    const { signal } = this.spec.settings;
    return signal !== undefined && isAborted(signal);
  }
}
