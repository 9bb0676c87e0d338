// What an error of PostgreSQL or of `pg` means to people, and whether a repetition can mend it.

import { brief, describe, field, isUnreachable } from '../../kit.ts';

const NO_TABLES = ['3F000', '42P01', '42883', '42703'];
const NO_PERMISSION = ['42501'];
const NO_LOGIN = ['28P01', '28000'];
const OTHER_TABLES = ['42P07'];
const NO_DATABASE = ['3D000'];
/** The name of a slot that the encoding of the database does not have, or that no index holds. */
const NO_SUCH_TEXT = ['22021', '22P05', '54000'];

/** An `OptionError`. */
const REFUSED = ['SLOTVISOR_OPTION'];

const LASTING = [...NO_TABLES, ...NO_PERMISSION, ...NO_LOGIN, ...NO_DATABASE, ...NO_SUCH_TEXT, ...REFUSED];

const LOCKED = '55P03';
const READ_ONLY = '25006';

const codeOf = (error: unknown): string => String(field(error, 'code'));

/** Of an error, or of an error of `forPeople`. */
const hasCode = (error: unknown, codes: readonly string[]): boolean =>
  codes.includes(codeOf(error)) || codes.includes(codeOf(field(error, 'cause')));

/** No repetition mends it. */
export const isLasting = (error: unknown): boolean => hasCode(error, LASTING);

/** One item of the statement is to blame, and others may do without it. */
export const isOfOneItem = (error: unknown): boolean => hasCode(error, [LOCKED, ...NO_SUCH_TEXT]);

const GRANTS = 'give it the grants that slotvisor/postgres names';

/**
 * The error in words that say what to do, with the error itself as `cause`. Others stay.
 *
 * @param permission what to do where the role lacks a permission.
 */
export function forPeople(error: unknown, schema: string, permission = GRANTS): unknown {
  const text = textOf(codeOf(error), schema, permission, error);
  return text === undefined ? error : new Error(text, { cause: error });
}

function textOf(code: string, schema: string, permission: string, error: unknown): string | undefined {
  const named = JSON.stringify(schema);
  const said = brief(describe(error));
  if (NO_TABLES.includes(code)) {
    const call = schema === 'slotvisor' ? 'migrate(pool)' : `migrate(pool, { schema: ${named} })`;
    return `the schema ${named} has no tables of this version of slotvisor: run ${call} of slotvisor/postgres once (${said})`;
  }
  if (NO_PERMISSION.includes(code))
    return `the role of the pool may not use the schema ${named}: ${permission} (${said})`;
  if (OTHER_TABLES.includes(code))
    return `the schema ${named} has tables with the names of those of slotvisor: give slotvisor a schema of its own (${said})`;
  if (NO_LOGIN.includes(code)) return `PostgreSQL refuses the login of the pool: check its user and password (${said})`;
  if (NO_DATABASE.includes(code)) return `the database of the pool does not exist: check its name (${said})`;
  if (NO_SUCH_TEXT.includes(code)) return `PostgreSQL cannot keep this name: create the database in UTF8 (${said})`;
  if (code === LOCKED)
    return `a transaction of another client keeps rows of the schema ${named} locked: end it, see pg_blocking_pids() (${said})`;
  if (code === READ_ONLY) return `PostgreSQL is read-only: the pool must reach the primary server (${said})`;
  if (isUnreachable(error)) return `PostgreSQL cannot be reached: check that it runs, and its address (${said})`;
  return undefined;
}
