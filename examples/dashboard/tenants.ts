// The long-lived tasks of many tenants. Most run and run. Some fail, again and again.

import type { Supervisor, TaskContext } from 'slotvisor';

/** What each tenant has. */
const KINDS = ['sync', 'feed', 'consumer', 'mail'] as const;

export function startTenants(supervisor: Supervisor, count: number): void {
  for (let n = 0; n < count; n += 1) {
    const kind = KINDS[n % KINDS.length] as string;
    const tenant = Math.floor(n / KINDS.length);
    supervisor.submit({
      slot: `${kind}:tenant-${tenant}`,
      name: `revision ${1 + (tenant % 9)}`,
      meta: { tenant, region: tenant % 2 === 0 ? 'eu' : 'us' },
      backoff: { firstMs: 4_000, maxMs: 40_000 },
      ...bodyOf(kind, tenant),
    });
  }
}

function bodyOf(kind: string, tenant: number) {
  if (kind === 'sync' && tenant % 40 === 0) return { run: (ctx: TaskContext) => refused(ctx, tenant) };
  if (kind === 'feed' && tenant % 70 === 0) return { timeoutMs: 700, run: (ctx: TaskContext) => ctx.sleep(60_000) };
  if (kind === 'consumer' && tenant % 120 === 0)
    return { stallMs: 2_000, stableMs: 60_000, run: (ctx: TaskContext) => ctx.sleep(Infinity) }; // no heartbeat
  return { run: (ctx: TaskContext) => ctx.sleep(Infinity) };
}

async function refused(ctx: TaskContext, tenant: number): Promise<void> {
  await ctx.sleep(200 + Math.random() * 400);
  const request = Math.random().toString(16).slice(2, 10);
  throw Object.assign(new Error(`upstream answered 503 for tenant-${tenant} (request ${request})`), {
    code: 'EUPSTREAM',
  });
}
