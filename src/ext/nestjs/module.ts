// `SlotvisorModule`, and its place in the order of Nest's hooks.

import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type Provider,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { Supervisor } from '../../index.ts';
import { aFunction, anObject, checkSupervisor, fromCaller, refuse } from '../../kit.ts';
import { Lifecycle } from './lifecycle.ts';
import { type SlotvisorModuleAsyncOptions, type SlotvisorModuleOptions, supervisorOf } from './options.ts';

const OPTIONS = Symbol('the options of SlotvisorModule');
/** Nest names what is missing: this, for a module that was imported without `forRoot`. */
const LIFECYCLE = 'SlotvisorModule.forRoot()';

/**
 * Gives the application one supervisor, which each provider can inject by its class, and runs the
 * methods with `@Supervised`, `@Scheduled` and `@OnTaskEvent`. It is global: import it once, in the
 * root module.
 *
 * Promised: the supervisor is shut down before the `onModuleDestroy` hook of any other module, and
 * so before pools and connections close. Each body has then ended, or the log says that it may be
 * alive.
 *
 * Not promised: that HTTP has been closed before. Nest closes it later, so `submit` throws a
 * ClosedError to the requests that still come.
 */
export class SlotvisorModule implements OnModuleDestroy {
  readonly #lifecycle: Lifecycle;

  /** @internal */
  constructor(lifecycle: Lifecycle) {
    this.#lifecycle = lifecycle;
  }

  /**
   * @param options those of the supervisor, or `{ supervisor }`. Default: none.
   * @throws OptionError for an option that is no object. The boot fails with one for an option that
   *   is invalid.
   */
  static forRoot(options: SlotvisorModuleOptions = {}): DynamicModule {
    fromCaller(SlotvisorModule.forRoot, () => anObject('options', options));
    // Nest 10 would serialize a value: a supervisor, with all that hangs on it.
    return moduleOf([], { provide: OPTIONS, useFactory: () => options });
  }

  /**
   * As `forRoot`, with options that are made during the boot.
   *
   * @throws OptionError if there is no `useFactory`.
   */
  static forRootAsync(options: SlotvisorModuleAsyncOptions): DynamicModule {
    const {
      imports = [],
      inject = [],
      useFactory,
    } = fromCaller(SlotvisorModule.forRootAsync, () => {
      anObject('options', options);
      aFunction('useFactory', options.useFactory);
      return options;
    });
    return moduleOf(imports, { provide: OPTIONS, inject, useFactory });
  }

  /** Ends the supervisor. Nest calls it. */
  onModuleDestroy(): Promise<void> {
    return this.#lifecycle.end();
  }
}

function moduleOf(imports: NonNullable<SlotvisorModuleAsyncOptions['imports']>, options: Provider): DynamicModule {
  return {
    module: SlotvisorModule,
    global: true,
    imports: [...imports, DiscoveryModule, SlotvisorLastModule],
    providers: [
      options,
      { provide: Supervisor, inject: [OPTIONS], useFactory: supervisorOf },
      {
        provide: LIFECYCLE,
        inject: [Supervisor, DiscoveryService, MetadataScanner, ModulesContainer],
        useFactory: (
          supervisor: Supervisor,
          discovery: DiscoveryService,
          scanner: MetadataScanner,
          modules: ModulesContainer,
        ) => {
          checkSupervisor(supervisor); // a test may have overridden it
          takeBothEnds(modules);
          return new Lifecycle(supervisor, discovery, scanner);
        },
      },
    ],
    exports: [Supervisor, LIFECYCLE],
  };
}

/** The other end of the order of hooks. */
class SlotvisorLastModule implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #lifecycle: Lifecycle;

  constructor(lifecycle: Lifecycle) {
    this.#lifecycle = lifecycle;
  }

  onApplicationBootstrap(): Promise<void> {
    return this.#lifecycle.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.#lifecycle.end();
  }
}

for (const type of [SlotvisorModule, SlotvisorLastModule]) {
  Module({})(type);
  Inject(LIFECYCLE)(type, undefined, 0);
}

/**
 * Nest calls the hooks of the modules in the order of their distance from the root module, the
 * greatest first. At the end, Nest 10 takes the same order, and later versions the reverse one. A
 * module at each end is the last one at the boot, and the first one at the end, in all of them.
 * Nest sorts before the first hook, and after this.
 */
function takeBothEnds(modules: ModulesContainer): void {
  const own = Array.from(modules.values()).filter(({ metatype }) => metatype === SlotvisorModule);
  if (own.length > 1)
    refuse('SlotvisorModule', 'must be imported once, by forRoot or forRootAsync in the root module', own.length);
  for (const module of modules.values())
    if (module.metatype === SlotvisorModule) module.distance = Number.MAX_VALUE;
    else if (module.metatype === SlotvisorLastModule) module.distance = -1;
}
