// What is registered behind the API. An SDK may be registered after the supervisor was made, and
// the metrics API has no proxy: instruments of its first provider would stay dead. So each attempt
// asks, and nothing is made until a provider is there. The answer costs two comparisons.

import {
  createNoopMeter,
  type Meter,
  type MeterProvider,
  metrics,
  ProxyTracerProvider,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { SCOPE, VERSION } from './scope.ts';

/** What stands behind the proxy of the API while no provider is registered. */
const NO_PROVIDER = new ProxyTracerProvider().getDelegate();

export class Tracers {
  readonly #given: TracerProvider | undefined;
  #provider = NO_PROVIDER;
  #tracer: Tracer | undefined;

  constructor(given: TracerProvider | undefined) {
    this.#given = given;
  }

  /** Undefined while no provider is registered. */
  get current(): Tracer | undefined {
    const given = this.#given ?? trace.getTracerProvider();
    const provider = given instanceof ProxyTracerProvider ? given.getDelegate() : given;
    if (provider !== this.#provider) {
      this.#provider = provider;
      this.#tracer = provider === NO_PROVIDER ? undefined : provider.getTracer(SCOPE, VERSION);
    }
    return this.#tracer;
  }
}

/** Makes a part of each further meter, and ends the part of the meter before. */
export class Metered<Part extends { end(): void }> {
  readonly #given: MeterProvider | undefined;
  readonly #make: (meter: Meter) => Part;
  #provider: MeterProvider | undefined;
  #part: Part | undefined;

  constructor(given: MeterProvider | undefined, make: (meter: Meter) => Part) {
    this.#given = given;
    this.#make = make;
  }

  /** Undefined while no provider is registered. */
  get current(): Part | undefined {
    const provider = this.#given ?? metrics.getMeterProvider();
    if (provider !== this.#provider) {
      this.end();
      this.#provider = provider;
      const meter = provider.getMeter(SCOPE, VERSION);
      this.#part = meter === createNoopMeter() ? undefined : this.#make(meter);
    }
    return this.#part;
  }

  end(): void {
    this.#part?.end();
    this.#part = undefined;
  }
}
