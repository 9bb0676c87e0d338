// Finds the marked methods of an application.

import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { OptionError } from '../../index.ts';
import { type Mark, type MarkedMethod, marksOf } from './decorators.ts';

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

export interface Found {
  readonly mark: Mark;
  readonly method: MarkedMethod;
}

/**
 * Every mark on a method of a provider or a controller, inherited methods included. An instance
 * that has several tokens counts once.
 *
 * @throws OptionError for a method whose provider has no instance of its own.
 */
export function findMethods(discovery: DiscoveryService, scanner: MetadataScanner): Found[] {
  const seen = new Set<unknown>();
  return [...discovery.getProviders(), ...discovery.getControllers()].flatMap((wrapper) => {
    const isStatic = wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
    const instance: unknown = isStatic ? wrapper.instance : wrapper.metatype?.prototype;
    if (typeof instance !== 'object' || instance === null || seen.has(instance)) return [];
    seen.add(instance);
    const prototype = isStatic ? Object.getPrototypeOf(instance) : instance;
    return scanner.getAllMethodNames(prototype).flatMap((name) => {
      const call: MarkedMethod['call'] = (...given) =>
        (instance as Record<string, MarkedMethod['call']>)[name]?.(...given);
      return marksOf(prototype[name]).map((mark) => {
        const label = `${prototype.constructor.name}.${name}`; // a foreign prototype may have no constructor
        if (!isStatic) refuseInstance(wrapper, mark, label);
        return { mark, method: { instance, label, call } };
      });
    });
  });
}

function refuseInstance({ isTransient }: Wrapper, { decorator }: Mark, label: string): never {
  const rule = 'needs a provider of the default scope, which has one instance';
  const shown = isTransient ? 'a transient one' : 'a request-scoped one, or a provider that injects one';
  throw new OptionError(`@${decorator}() on ${label}`, rule, undefined, shown);
}
