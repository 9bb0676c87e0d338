// One supervisor, or several by name, as a caller gives them.

import { nameText, refuse } from './check.ts';
import { readFields, reading } from './options.ts';

/** A supervisor with the name that it was given. */
export interface Named<Supervisor> {
  /** Absent where it was given alone. */
  readonly name?: string;
  readonly supervisor: Supervisor;
}

const RULE = 'must be a Supervisor, or an object with one or more of them';

/**
 * Supervisors of any copy of this package.
 *
 * @throws OptionError for what is none, for no supervisor, and for a name that no slot could have.
 */
export function readSupervisors<Supervisor>(value: unknown): readonly Named<Supervisor>[] {
  const field = 'supervisor';
  if (isSupervisor<Supervisor>(field, value)) return [{ supervisor: value }];
  if (typeof value !== 'object' || value === null) return refuse(field, RULE, value);
  const names = reading(field, value, () => Object.keys(value));
  const entries = Object.entries(readFields(field, value, names)); // an undefined one is an error
  if (entries.length === 0) return refuse(field, RULE, value);
  return entries.map(([name, supervisor]) => {
    const path = `${field}.${name}`;
    nameText(path, name);
    return isSupervisor<Supervisor>(path, supervisor)
      ? { name, supervisor }
      : refuse(path, 'must be a Supervisor', supervisor);
  });
}

function isSupervisor<Supervisor>(field: string, value: unknown): value is Supervisor {
  return reading(
    field,
    value,
    () => typeof (value as { readonly check?: unknown } | null | undefined)?.check === 'function',
  );
}
