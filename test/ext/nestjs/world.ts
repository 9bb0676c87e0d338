// An application of Nest on virtual time.

import type { LoggerService, ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Supervisor, type SupervisorOptions } from 'slotvisor';
import { SlotvisorModule } from 'slotvisor/nestjs';
import { VirtualClock } from 'slotvisor/testing';
import { onTestFinished } from 'vitest';

export interface World {
  readonly app: TestingModule;
  readonly clock: VirtualClock;
  readonly supervisor: Supervisor;
  /** What was logged: the level, and the message. */
  readonly logged: readonly string[];
}

/** A logger that remembers. Nest has one logger for the process. */
export function recordingLogger(): { readonly logger: LoggerService; readonly logged: string[] } {
  const logged: string[] = [];
  const at = (level: string) => (message: unknown) => void logged.push(`${level} ${message}`);
  return { logger: { log: () => {}, warn: at('warn'), error: at('error'), fatal: at('fatal') }, logged };
}

/** Compiled, and not booted: its hooks have not run. */
export async function compiled(metadata: ModuleMetadata, options: SupervisorOptions = {}): Promise<World> {
  const clock = new VirtualClock();
  const { logger, logged } = recordingLogger();
  const imports = [SlotvisorModule.forRoot({ clock, ...options }), ...(metadata.imports ?? [])];
  const app = await Test.createTestingModule({ ...metadata, imports })
    .setLogger(logger)
    .compile();
  const supervisor = app.get(Supervisor);
  onTestFinished(async () => void (await supervisor.shutdown({ graceMs: 0 })));
  return { app, clock, supervisor, logged };
}

/** Booted: its methods were submitted, and their bodies have begun. */
export async function booted(metadata: ModuleMetadata, options: SupervisorOptions = {}): Promise<World> {
  const world = await compiled(metadata, options);
  await world.app.init();
  await world.clock.settle();
  return world;
}
