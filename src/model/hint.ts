// What an unknown option was probably meant to be: an option with a name like it, here or in an
// object that is an option here, or an option of something else.

import leven from 'leven';

/** Words of other libraries, and the option that they mean here. */
export const SAME_AS: ReadonlyMap<string, string> = new Map([
  ['attempts', 'maxRetries'],
  ['maxAttempts', 'maxRetries'],
  ['retry', 'maxRetries'],
  ['delay', 'backoff'],
  ['retryDelay', 'backoff'],
  ['expiration', 'timeoutMs'],
  ['fn', 'run'],
  ['handler', 'run'],
  ['job', 'run'],
  ['task', 'run'],
  ['onTick', 'run'],
  ['key', 'slot'],
  ['jobId', 'slot'],
  ['overlap', 'admission'],
  ['policy', 'admission'],
  ['deduplication', 'admission'],
  ['noOverlap', 'admission'],
  ['protect', 'admission'],
  ['waitForCompletion', 'admission'],
  ['every', 'everyMs'],
  ['interval', 'everyMs'],
  ['cronTime', 'cron'],
  ['maxExecutions', 'maxRuns'],
  ['maxRandomDelay', 'jitterMs'],
  ['maxConcurrency', 'concurrency'],
  ['maxConcurrent', 'concurrency'],
  ['intervalCap', 'rate'],
  ['minTime', 'rate'],
  ['limiter', 'rate'],
  ['highWater', 'queueLimit'],
  ['tz', 'timezone'],
]);

const OF_A_SLOT = 'a slot has it: set it in slots, in slotDefaults or with slot.configure';
const OF_A_SHUTDOWN = 'the supervisor has it; shutdown and stopOnSignals take graceMs and finishMs';
const OF_THE_SUPERVISOR = 'the supervisor has it: set it in new Supervisor() or with supervisor.configure';
const OF_A_SCHEDULE = 'slotvisor/cron has it: schedule(supervisor, { cron, task }), or everyMs or at in place of cron';

/** Options that are often given in the wrong place, and where they belong. */
const BELONGS: ReadonlyMap<string, string> = new Map([
  ['queueLimit', OF_A_SLOT],
  ['onFull', OF_A_SLOT],
  ['shutdownGraceMs', OF_A_SHUTDOWN],
  ['finishMs', OF_A_SHUTDOWN],
  ['concurrency', OF_THE_SUPERVISOR],
  ['rate', OF_THE_SUPERVISOR],
  ['cron', OF_A_SCHEDULE],
  ['schedule', OF_A_SCHEDULE],
  ['at', OF_A_SCHEDULE],
  ['everyMs', 'periodic(everyMs, run) makes such a spec, and schedule of slotvisor/cron has it'],
  ['kill', 'a killable task is the run of a spec: { run: task }'],
]);

/**
 * A hint for an option that is not known.
 *
 * @param known the names of the options.
 * @param inner the paths of options of these options, such as `task.run`.
 */
export function hintFor(key: string, known: readonly string[], inner: readonly string[]): string {
  const paths = [...known, ...inner];
  const meant = SAME_AS.get(key);
  const same = paths.find((path) => nameOf(path) === key) ?? paths.find((path) => nameOf(path) === meant);
  if (same !== undefined) return `did you mean ${same}?`;
  const elsewhere = meant === undefined ? undefined : BELONGS.get(meant);
  return BELONGS.get(key) ?? nearest(key, paths) ?? elsewhere ?? `known: ${known.join(', ')}`;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

/** The time that a comparison takes grows with the length of the name. */
const MAX_COMPARED = 40;

/** How many characters may be wrong, and at most half of them. */
const MAX_DISTANCE = 3;

export function nearest(key: string, paths: readonly string[]): string | undefined {
  if (key.length > MAX_COMPARED) return undefined;
  const [first] = paths
    .map((path) => ({ path, distance: distanceOf(key.toLowerCase(), nameOf(path).toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  if (first === undefined || first.distance > MAX_DISTANCE || first.distance * 2 > key.length) return undefined;
  return `did you mean ${first.path}?`;
}

/** A name that has the other one in it, as `maxRetries` has `retries`, is nearer than two typos. */
function distanceOf(key: string, name: string): number {
  const distance = leven(key, name);
  const [short, long] = key.length < name.length ? [key, name] : [name, key];
  return short.length > MAX_DISTANCE && long.includes(short) ? Math.min(distance, 1 + distance / 100) : distance;
}
