// The tables and functions of a schema. Each operation of the store is one statement, the call of
// one function: so it is one transaction, over any pool.
//
// Over 300 lines because the functions lock in one order, which can only be read together:
//
// 1. the row of the clock, 2. rows of sessions, 3. slots in the order of their names, 4. places in
// line. What goes against this order never waits: it takes what is not locked (`skip locked`).
//
// Where a slot is meant by its name, its session is compared by `is not distinct from`, for which
// there is no index: so the index of the names is taken, however small the tables were at first.
//
// Two strengths of a lock on a slot. Who only asks takes `no key update`. Who changes the owner
// takes `update`, and only that waits for `assert_owned`, which takes `key share`.

export const SCHEMA_VERSION = 1;

/** An SQL identifier that means exactly this name. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** How often a session that does not beat gets one more ttl. */
const MOST_SPARED = 4;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Makes the tables and functions in the schema, which must exist. */
export function ddl(schema: string): string {
  const s = identifier(schema);
  return [
    // Whatever is set in the database, a quote in a function body is written as two.
    'set local standard_conforming_strings = on',
    ...tables(s),
    ...[...settings(s), ...passing(s), ...asking(s), ...returning(s), ...living(s), ...vouching(s)].map(
      ([head, body]) => `create function ${s}.${head} as ${literal(body)}`,
    ),
    `insert into ${s}.version values (${SCHEMA_VERSION})`,
  ].join(';\n');
}

const tables = (s: string): string[] => [
  `create table ${s}.version (version int not null)`,

  // One row a process. spared: how often it got one more ttl since its last beat.
  `create table ${s}.session (
    id uuid primary key,
    name text not null,
    ttl interval not null,
    expires_at timestamptz not null,
    spared smallint not null default 0,
    opened_at timestamptz not null default clock_timestamp()
  ) with (fillfactor = 50)`,

  // A row exists only while the slot is held. wanted: 0 if nothing waits, 1 if a session does, 2 if
  // a replacement does. Who enters the line raises it in the same transaction, under the lock of
  // this row: so where it is 0 the line is empty.
  `create table ${s}.slot (
    name text collate "C" primary key,
    session uuid not null,
    fence bigint not null,
    wanted smallint not null default 0,
    granted_at timestamptz not null default clock_timestamp()
  ) with (fillfactor = 70)`,
  `create index slot_session on ${s}.slot (session)`,
  `create index slot_wanted on ${s}.slot (session) where wanted > 0`,

  `create table ${s}.waiter (
    slot text collate "C" not null,
    session uuid not null,
    place bigint not null generated always as identity,
    urgent boolean not null,
    primary key (slot, session)
  )`,
  `create index waiter_session on ${s}.waiter (session)`,

  `create sequence ${s}.fence`,

  // One row.
  `create table ${s}.clock (
    one boolean primary key default true check (one),
    seen_at timestamptz not null default clock_timestamp()
  )`,
  `insert into ${s}.clock default values`,

  // One row a schedule: its latest dates that were claimed, in their order, and which call was the
  // last one to claim one. A call whose answer was lost is repeated with the same mark.
  `create table ${s}.claim (
    schedule text collate "C" primary key,
    dates timestamptz[] not null,
    mark uuid not null
  )`,
];

type SqlFunction = readonly [head: string, body: string];

const settings = (s: string): SqlFunction[] => [
  // For the rest of the transaction. A grant that is confirmed must survive a crash of the server.
  // Plans are kept for as long as a connection lives: a plan that was made while a table was empty
  // must serve when it is large.
  [
    'settings(wait_ms int) returns void language plpgsql',
    `
begin
  perform set_config('lock_timeout', wait_ms::text, true), set_config('jit', 'off', true),
    set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true);
  if current_setting('synchronous_commit') in ('off', 'local') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
end`,
  ],

  // Sequences never go back over a crash of the server. Over a promotion that lost the latest
  // writes they may, but then the number of the timeline has grown.
  [
    'next_fence() returns bigint language sql',
    `
  select (('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint << 40) + nextval(${literal(`${s}.fence`)})`,
  ],

  // The id of a session is a secret: only who knows it can send news to it.
  [
    'tell(id uuid, news text) returns void language plpgsql',
    `
begin
  perform pg_notify('sv_' || replace(id::text, '-', ''), news);
end`,
  ],
];

const passing = (s: string): SqlFunction[] => [
  // The caller has locked the slot.
  [
    'wanted_by_line(slot_name text) returns smallint language plpgsql',
    `
begin
  return (select coalesce(max(1 + urgent::int), 0) from ${s}.waiter where slot = slot_name);
end`,
  ],

  // Grants the slot to the first in line, or removes it. The caller has locked it for update. Who
  // has missed beats comes last: it may be dead, and would keep the slot from the others for a ttl.
  // The fence is drawn under the lock: otherwise a later grant could have a lower one.
  [
    `pass_on(slot_name text, asker uuid) returns ${s}.slot language plpgsql`,
    `
declare
  heir uuid;
  rest smallint;
  granted ${s}.slot;
begin
  select w.session into heir
    from ${s}.waiter w join ${s}.session x on x.id = w.session
    where w.slot = slot_name
    order by x.spared = 0 and x.expires_at > clock_timestamp() + x.ttl * 0.6 desc,
      x.expires_at > clock_timestamp() desc, w.urgent desc, w.place
    limit 1;
  if not found then
    delete from ${s}.waiter where slot = slot_name;
    delete from ${s}.slot where name = slot_name;
    return null;
  end if;
  delete from ${s}.waiter where slot = slot_name and session = heir;
  rest := ${s}.wanted_by_line(slot_name);
  update ${s}.slot
    set session = heir, fence = ${s}.next_fence(), wanted = rest, granted_at = clock_timestamp()
    where name = slot_name
    returning * into granted;
  if heir is distinct from asker then
    perform ${s}.tell(heir, concat_ws(' ', 'granted', granted.fence, rest, slot_name));
    if rest = 2 then
      perform ${s}.tell(heir, concat_ws(' ', 'revoked', granted.fence, rest, slot_name));
    end if;
  end if;
  return granted;
end`,
  ],

  // Frees the slots that nothing waits for, and passes on the others. The caller has locked all of
  // them for update.
  [
    'pass_on_all(free text[], wanted text[]) returns void language plpgsql',
    `
declare
  slot_name text;
begin
  delete from ${s}.slot where name = any (free);
  foreach slot_name in array coalesce(wanted, '{}') loop
    perform ${s}.pass_on(slot_name, null);
  end loop;
end`,
  ],
];

const asking = (s: string): SqlFunction[] => [
  // Asks for slots together. What is free is taken at once: inserted without a fence, which is
  // drawn once the row is there. A slot that another transaction has locked is answered 'locked':
  // it would hold up the others, and is asked for alone.
  [
    `acquire(me uuid, names text[], modes int[], alone boolean, wait_ms int)
  returns table (o_slot text, o_state text, o_fence bigint, o_contended boolean) language plpgsql`,
    `
declare
  free text[];
  fences bigint[];
  ask record;
begin
  perform ${s}.settings(wait_ms);
  if not exists (select from ${s}.session where id = me) then
    return query select n, 'dead', null::bigint, false from unnest(names) n;
    return;
  end if;
  insert into ${s}.slot (name, session, fence)
    select n, me, 0 from unnest(names) n order by n collate "C"
    on conflict do nothing;
  if found then
    with mine as (
      update ${s}.slot set fence = ${s}.next_fence()
        where name = any (names) and session is not distinct from me and fence = 0
        returning name, fence
    )
    select array_agg(name), array_agg(fence) into free, fences from mine;
    return query select n, 'granted', f, false from unnest(free, fences) t(n, f);
    if cardinality(free) = cardinality(names) then return; end if;
  end if;
  for ask in
    select n, m from unnest(names, modes) t(n, m)
      where n not in (select unnest(free)) order by n collate "C"
  loop
    return query select ask.n, a.o_state, a.o_fence, a.o_contended from ${s}.ask(me, ask.n, ask.m, alone) a;
  end loop;
end`,
  ],

  // Asks for a slot that was not free. mode: 0 try, 1 wait, 2 urgent.
  [
    `ask(me uuid, slot_name text, mode int, alone boolean,
  out o_state text, out o_fence bigint, out o_contended boolean) language plpgsql`,
    `
declare
  held ${s}.slot;
  other uuid;
begin
  held := ${s}.lock_slot(me, slot_name, alone);
  if held.name is null then
    o_state := 'locked';
    return;
  end if;
  -- The answer of an earlier call was lost, or the slot has become free: a fence of its own.
  if held.session = me then
    perform from ${s}.slot where name = slot_name for update;
    delete from ${s}.waiter where slot = slot_name and session = me;
    update ${s}.slot set fence = ${s}.next_fence(), granted_at = clock_timestamp()
      where name = slot_name returning 'granted', fence, wanted > 0 into o_state, o_fence, o_contended;
    return;
  end if;

  if mode = 2 then
    for other in
      delete from ${s}.waiter where slot = slot_name and urgent and session <> me returning session
    loop
      perform ${s}.tell(other, concat_ws(' ', 'superseded', 0, 0, slot_name));
    end loop;
  end if;
  if mode > 0 then
    insert into ${s}.waiter as w (slot, session, urgent) values (slot_name, me, mode = 2)
      on conflict (slot, session) do update set urgent = true where not w.urgent and excluded.urgent;
  end if;

  o_state := case mode when 0 then 'busy' else 'waiting' end;
  o_fence := held.fence;
  o_contended := false;
  if exists (select from ${s}.session where id = held.session) then
    if mode > held.wanted then
      update ${s}.slot set wanted = mode where name = slot_name;
      perform ${s}.tell(held.session,
        concat_ws(' ', case mode when 2 then 'revoked' else 'contended' end, held.fence, mode, slot_name));
    end if;
    return;
  end if;

  -- The holder is gone. While a transaction still vouches for it the slot stays where it is, and
  -- each beat asks for it again.
  perform from ${s}.slot where name = slot_name for update skip locked;
  if not found then
    update ${s}.slot set wanted = greatest(wanted, mode) where name = slot_name;
    return;
  end if;
  if mode = 0 then
    insert into ${s}.waiter (slot, session, urgent) values (slot_name, me, false) on conflict do nothing;
  end if;
  held := ${s}.pass_on(slot_name, me);
  o_fence := held.fence;
  if held.session = me then
    o_state := 'granted';
    o_contended := held.wanted > 0;
  elsif mode = 0 then
    delete from ${s}.waiter where slot = slot_name and session = me;
  end if;
end`,
  ],

  // The row of the slot, locked. If it is free it becomes the asker's. Null: it is locked by
  // another transaction, or was until now.
  [
    `lock_slot(me uuid, slot_name text, alone boolean) returns ${s}.slot language plpgsql`,
    `
declare
  held ${s}.slot;
begin
  if not alone then
    select * into held from ${s}.slot where name = slot_name for no key update skip locked;
    return held;
  end if;
  loop
    select * into held from ${s}.slot where name = slot_name for no key update;
    exit when found;
    insert into ${s}.slot (name, session, fence) values (slot_name, me, 0)
      on conflict do nothing returning * into held;
    exit when found;
  end loop;
  return held;
end`,
  ],
];

const returning = (s: string): SqlFunction[] => [
  // Gives back slots. Returns those that another transaction has locked.
  [
    `release(me uuid, names text[], fences bigint[], alone boolean, wait_ms int)
  returns table (o_slot text) language plpgsql`,
    `
declare
  free text[];
  wanted_slots text[];
begin
  perform ${s}.settings(wait_ms);
  if alone then
    perform from ${s}.slot where name = names[1] and session = me and fence = fences[1] for update;
  end if;
  select array_agg(name) filter (where wanted = 0), array_agg(name) filter (where wanted > 0)
    into free, wanted_slots
    from unnest(names, fences) t(n, f), lateral (
      select name, wanted from ${s}.slot
        where name = n and fence = f and session is not distinct from me
        for update skip locked
    ) mine;
  perform ${s}.pass_on_all(free, wanted_slots);
  if coalesce(cardinality(free), 0) + coalesce(cardinality(wanted_slots), 0) < cardinality(names) then
    return query select n from unnest(names, fences) t(n, f) where exists
      (select from ${s}.slot where name = n and fence = f and session is not distinct from me);
  end if;
end`,
  ],

  // Leaves the line of a slot.
  [
    'withdraw(me uuid, slot_name text, wait_ms int) returns void language plpgsql',
    `
declare
  held ${s}.slot;
begin
  perform ${s}.settings(wait_ms);
  select * into held from ${s}.slot where name = slot_name for no key update;
  delete from ${s}.waiter where slot = slot_name and session = me;
  if held.session = me then
    perform from ${s}.slot where name = slot_name for update;
    perform ${s}.pass_on(slot_name, null);
  elsif held.wanted > 0 then
    update ${s}.slot set wanted = ${s}.wanted_by_line(slot_name) where name = slot_name;
  end if;
end`,
  ],

  [
    `holdings(me uuid, only_slot text, wait_ms int) returns table (o_slot text, o_fence bigint) language plpgsql`,
    `
begin
  perform ${s}.settings(wait_ms);
  if only_slot is null then
    return query select name, fence from ${s}.slot where session = me;
  else
    return query select name, fence from ${s}.slot where name = only_slot and session is not distinct from me;
  end if;
end`,
  ],

  // Ends a session. alone: waits for the locks of others, in the order of the names, so that no
  // slot comes to the session meanwhile. Otherwise slots that another transaction has locked may
  // stay behind without a holder.
  [
    'finish(me uuid, alone boolean, wait_ms int) returns void language plpgsql',
    `
declare
  waited_for text[];
  free text[];
  wanted_slots text[];
begin
  perform ${s}.settings(wait_ms);
  if alone then
    perform from ${s}.slot where name in
      (select name from ${s}.slot where session = me union all select slot from ${s}.waiter where session = me)
      order by name for no key update;
  end if;
  with mine as (
    delete from ${s}.waiter where session = me
      and slot in (select slot from ${s}.waiter where session = me for update skip locked)
      returning slot
  )
  select array_agg(slot) into waited_for from mine;
  update ${s}.slot set wanted = ${s}.wanted_by_line(name) where name in
    (select name from ${s}.slot where name = any (waited_for) and wanted > 0 for no key update skip locked);
  select array_agg(name) filter (where wanted = 0), array_agg(name) filter (where wanted > 0)
    into free, wanted_slots
    from (
      select name, wanted from ${s}.slot where session = me order by name for update skip locked
    ) mine;
  perform ${s}.pass_on_all(free, wanted_slots);
  delete from ${s}.session where id = me;
end`,
  ],
];

const living = (s: string): SqlFunction[] => [
  [
    'open(me uuid, session_name text, ttl_ms float8, wait_ms int) returns void language plpgsql',
    `
declare
  lifetime interval := ttl_ms * interval '1 ms';
begin
  perform ${s}.settings(wait_ms);
  perform ${s}.look_at_clock(lifetime);
  perform ${s}.remove_expired();
  insert into ${s}.session (id, name, ttl, expires_at)
    values (me, session_name, lifetime, clock_timestamp() + lifetime)
    on conflict (id) do update set expires_at = excluded.expires_at;
end`,
  ],

  // Where the clock was set, or no session has beaten for a while, each session gets a ttl from now
  // on: the living renew their sessions first. It gets that a few times a beat, so that processes
  // that come and go do not keep a dead one alive.
  [
    'look_at_clock(lifetime interval) returns void language plpgsql',
    `
declare
  known ${s}.clock;
  moment timestamptz := clock_timestamp();
  shortest interval := least(lifetime, (select min(ttl) from ${s}.session));
begin
  select * into known from ${s}.clock;
  if moment - known.seen_at > shortest / 3 or moment < known.seen_at - shortest / 10 then
    update ${s}.clock set seen_at = moment;
    update ${s}.session set expires_at = moment + ttl, spared = spared + (moment > known.seen_at)::int
      where spared < ${MOST_SPARED} or expires_at > moment + ttl;
  elsif moment - known.seen_at > shortest / 20 then
    update ${s}.clock set seen_at = greatest(moment, seen_at)
      where one in (select one from ${s}.clock for update skip locked);
  end if;
end`,
  ],

  // Renewal and removal meet in the row of the session. A session is dead when its row is gone, and
  // not before: a session that has expired and is still there can be renewed.
  [
    `beat(me uuid, waiting text[], wait_ms int)
  returns table (o_kind text, o_slot text, o_fence bigint, o_contended boolean) language plpgsql`,
    `
declare
  lifetime interval;
begin
  perform ${s}.settings(wait_ms);
  select ttl into lifetime from ${s}.session where id = me;
  if found then
    perform ${s}.look_at_clock(lifetime);
    update ${s}.session set expires_at = clock_timestamp() + ttl, spared = 0 where id = me;
  end if;
  if not found then
    return query select 'dead', null::text, null::bigint, false;
    return;
  end if;
  perform ${s}.remove_expired();
  return query select 'held', null::text, count(*), false from ${s}.slot where session = me;
  return query select case wanted when 2 then 'revoked' else 'contended' end, name, fence, true
    from ${s}.slot where session = me and wanted > 0;
  if cardinality(waiting) > 0 then
    return query
      select case
          when l.session = me then 'granted'
          when w.slot is null then 'superseded'
          when x.id is null then 'orphan'
          else 'until'
        end,
        n,
        case when l.session = me then l.fence
          else (extract(epoch from x.expires_at - clock_timestamp()) * 1000)::bigint end,
        coalesce(l.wanted > 0, false)
      from unnest(waiting) t(n)
        left join ${s}.slot l on l.name = n
        left join ${s}.waiter w on w.slot = n and w.session = me
        left join ${s}.session x on x.id = l.session;
  end if;
end`,
  ],

  // Removes expired sessions, their places in line, and their slots that nothing waits for. What is
  // waited for goes to the next in line when a session asks for it, as its next beat tells it to.
  [
    'remove_expired() returns void language plpgsql',
    `
declare
  dead uuid[];
begin
  with gone as (
    delete from ${s}.session
      where id in (select id from ${s}.session where expires_at <= clock_timestamp() for update skip locked)
      returning id
  )
  select array_agg(id) into dead from gone;
  if dead is null then return; end if;
  delete from ${s}.waiter where (slot, session) in
    (select slot, session from ${s}.waiter where session = any (dead) for update skip locked);
  delete from ${s}.slot where name in
    (select name from ${s}.slot where session = any (dead) and wanted = 0 for update skip locked);
end`,
  ],
];

const vouching = (s: string): SqlFunction[] => [
  // To the end of the calling transaction the slot keeps its owner.
  [
    'assert_owned(slot_name text, held_fence bigint) returns void language plpgsql',
    `
begin
  perform from ${s}.slot where name = slot_name and fence = held_fence for key share;
  if not found then
    raise exception 'slot "%" is not owned with fence % any more: another owner may have it', slot_name, held_fence
      using errcode = 'SV001', hint = 'Roll back: the lease of this body was lost.';
  end if;
end`,
  ],
];
