// The instrumentation scope of all spans and metrics.

export const SCOPE = 'slotvisor';

/** The version of the package. A test compares it with package.json. */
export const VERSION = '0.1.0';
