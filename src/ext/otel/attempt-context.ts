// What the OpenTelemetry context of a body says of its attempt.

import { type Attributes, type Context, context, createContextKey } from '@opentelemetry/api';
import type { AttemptInfo } from '../../index.ts';
import { anObjectWith, fromCaller } from '../../kit.ts';

/** Which attempt it is. A frozen object. */
export type AttemptIdentity = Readonly<Pick<AttemptInfo, 'slot' | 'name' | 'id' | 'attempt'>>;

const ATTEMPT = createContextKey('slotvisor.attempt');

export function withAttempt(base: Context, { slot, name, id, attempt }: AttemptInfo): Context {
  return base.setValue(ATTEMPT, Object.freeze({ slot, name, id, attempt }));
}

/**
 * The attempt whose body, or what the body called, has this context. Default: the active one.
 * `undefined` outside of bodies, where `otel` does not watch the supervisor of the body, and where
 * no SDK is registered.
 *
 * @throws OptionError for a value that is no context.
 */
export function attemptOf(of: Context = context.active()): AttemptIdentity | undefined {
  fromCaller(attemptOf, () => anObjectWith('getValue', 'context', 'must be a Context', of));
  return of.getValue(ATTEMPT) as AttemptIdentity | undefined;
}

/** The attributes that say which attempt it is. */
export function identityAttributes({ slot, name, id, attempt }: AttemptIdentity): Attributes {
  return {
    'slotvisor.slot.name': slot,
    'slotvisor.task.id': id,
    'slotvisor.task.name': name,
    'slotvisor.attempt.number': attempt,
  };
}

/** A span of an SDK, as far as it is used here. */
export interface StampedSpan {
  /** What it has already. */
  readonly attributes: Attributes;
  /** Gives it more. */
  setAttributes(attributes: Attributes): unknown;
}

/** A `SpanProcessor` of the SDK, without an import of the SDK. */
export interface SlotSpanProcessor {
  /** Gives the span the attributes of the attempt in whose context it starts. */
  onStart(span: StampedSpan, parentContext: Context): void;
  /** Does nothing. */
  onEnd(): void;
  /** Resolves at once. */
  forceFlush(): Promise<void>;
  /** Resolves at once. */
  shutdown(): Promise<void>;
}

/**
 * A span processor: each span that is started in a body gets the attributes of its attempt, such as
 * `slotvisor.slot.name`. Put it before the processors that export. It is the way to find the traces
 * of a `detached` body.
 */
export function slotSpanProcessor(): SlotSpanProcessor {
  return {
    onStart(span, parentContext) {
      const attempt = attemptOf(parentContext);
      // The span of an attempt says whose it is. Its parent context is that of its submitter.
      if (attempt !== undefined && !('slotvisor.slot.name' in span.attributes))
        span.setAttributes(identityAttributes(attempt));
    },
    onEnd() {},
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}
