// The lease store in Redis, as one script. Redis runs a script without interruption, so each
// operation is atomic, and reads one time. Long because the whole of the script is one text.
//
// Keys, below the prefix:
//
// - `:sessions`: sorted set. A session, and when it expires, in ms of the clock of the server.
// - `:spared`: hash. How often a session got one more ttl since its last beat, as the clock jumped.
// - `:names`: hash. A session, and the name of its process.
// - `:slot:<name>`: hash, while the slot is held. `s` the holder's session, `f` its fence, `n` the
//   session whose replacement waits, `t` what the holder knows: '0' no session waits, '1' others
//   wait (contended), '2' a replacement waits (revoked).
// - `:line:<name>`: sorted set. The sessions that wait for the slot, by arrival. A free slot has
//   no line.
// - `:owns:<session>`: set. The slots that it holds.
// - `:asked:<session>`: set. Those of them for which another session waits.
// - `:waits:<session>`: hash. The slots for which it waits ('w'), and those where a later
//   replacement took its place ('s').
// - `:dead`: set. Sessions that are gone, but not yet from slots and lines.
// - `:clock`: hash. `seen` the latest time, `born` when a store that was found empty begins to
//   grant, `ttl` the ttl of the last session that beat.
// - `:fence`, `:seq`: the last fence, the last arrival.
//
// No key has a time to live: Redis would remove a part of what it knows, without a step that keeps
// the rest true.

import { createHash } from 'node:crypto';

const STATE = `
-- P is what the name of each key begins with, C that of each channel. The client may put a prefix
-- of its own before keys, but not before channels.
local P, C, op = KEYS[1], ARGV[1], ARGV[2]
local AT_ONCE = 100 -- slots passed on by one script: other clients of Redis wait for it
local MOST_SPARED = 4 -- how often a session that does not beat gets one more ttl

local now = redis.call('TIME')
local us = now[1] * 1000000 + now[2]
local ms = math.floor(us / 1000)

local SESSIONS, SPARED, NAMES, DEAD = P .. ':sessions', P .. ':spared', P .. ':names', P .. ':dead'
local CLOCK, FENCE = P .. ':clock', P .. ':fence'
local function slot(n) return P .. ':slot:' .. n end
local function line(n) return P .. ':line:' .. n end
local function owns(id) return P .. ':owns:' .. id end
local function asked(id) return P .. ':asked:' .. id end
local function waits(id) return P .. ':waits:' .. id end

local function int(x) return string.format('%.0f', x) end -- tostring would round to 14 digits
local function tell(id, news) redis.call('PUBLISH', C .. id, news) end
-- When the session expires. A session is dead when it is not there, and not before.
local function expiry(id) return tonumber(id and redis.call('ZSCORE', SESSIONS, id) or nil) end

-- The time, or the last fence and 1. A store that has forgotten its fences goes on above them, as
-- long as its clock does. Redis counts, and not Lua: numbers of Lua are exact up to 2^53 only.
local function next_fence()
  local last = redis.call('GET', FENCE)
  if last and tonumber(last) >= us then
    redis.call('INCR', FENCE)
    return redis.call('GET', FENCE)
  end
  redis.call('SET', FENCE, int(us))
  return int(us)
end

-- Each session gets a ttl from now on, a few times a beat: processes that come and go do not keep a
-- dead one alive.
local function spare(ttl, is_ahead)
  local sessions = redis.call('ZRANGE', SESSIONS, 0, -1, 'WITHSCORES')
  for i = 1, #sessions, 2 do
    local id, at = sessions[i], tonumber(sessions[i + 1])
    if tonumber(redis.call('HGET', SPARED, id) or 0) < MOST_SPARED or at > ms + ttl then
      redis.call('ZADD', SESSIONS, int(ms + ttl), id)
      if is_ahead then redis.call('HINCRBY', SPARED, id, 1) end
    end
  end
end

-- After a step back of the clock, a store that was found empty begins to grant after what was left.
local function shift_birth(seen)
  local born = tonumber(redis.call('HGET', CLOCK, 'born') or 0)
  redis.call('HSET', CLOCK, 'born', int(ms + math.max(0, born - seen)))
end

-- A clock that stepped, and a time in which no session could beat, make the living look expired:
-- they have one ttl to beat first.
local function look_at_clock(ttl)
  local seen = tonumber(redis.call('HGET', CLOCK, 'seen') or nil)
  redis.call('HSET', CLOCK, 'ttl', ttl)
  if not seen then
    redis.call('HSET', CLOCK, 'seen', int(ms), 'born', int(ms + ttl))
  elseif ms - seen > ttl / 3 or seen - ms > ttl / 10 then
    redis.call('HSET', CLOCK, 'seen', int(ms))
    if ms < seen then shift_birth(seen) end
    spare(ttl, ms > seen)
  elseif ms > seen then
    redis.call('HSET', CLOCK, 'seen', int(ms))
  end
end
`;

const SLOTS = `
-- Who waits: '2' a replacement, '1' others, '0' no session.
local function wanted(n, replacement)
  if replacement then return '2' end
  return redis.call('EXISTS', line(n)) == 1 and '1' or '0'
end

local function mark(n, holder, level)
  redis.call('HSET', slot(n), 't', level)
  redis.call(level == '0' and 'SREM' or 'SADD', asked(holder), n)
end

local function give(n, id, level)
  local fence = next_fence()
  redis.call('HSET', slot(n), 's', id, 'f', fence, 't', level)
  redis.call('SADD', owns(id), n)
  if level ~= '0' then redis.call('SADD', asked(id), n) end
  return fence
end

-- The replacement goes first, then the line. Sessions that have missed beats come last, since a
-- grant to a session that is gone costs a ttl. The dead leave the line.
local function first_in_line(n, replacement)
  local candidates = redis.call('ZRANGE', line(n), 0, -1)
  if replacement then table.insert(candidates, 1, replacement) end
  local fresh = ms + 0.6 * tonumber(redis.call('HGET', CLOCK, 'ttl') or 0)
  local first = {}
  for _, id in ipairs(candidates) do
    local at = expiry(id)
    if not at then
      redis.call('ZREM', line(n), id)
    else
      local is_fresh = at > fresh and redis.call('HEXISTS', SPARED, id) == 0
      local rank = is_fresh and 1 or at > ms and 2 or 3
      first[rank] = first[rank] or id
      if rank == 1 then break end
    end
  end
  return first[1] or first[2] or first[3]
end

-- Takes a slot from its holder, and grants it to the first in line. Returns the session, the
-- fence and who else waits; nothing if the slot is free now. The asker gets its answer directly.
local function pass_on(n, asker)
  local holder, replacement = unpack(redis.call('HMGET', slot(n), 's', 'n'))
  redis.call('SREM', owns(holder), n)
  redis.call('SREM', asked(holder), n)
  local to = first_in_line(n, replacement)
  if not to then
    redis.call('DEL', slot(n))
    return nil
  end
  redis.call('ZREM', line(n), to)
  redis.call('HDEL', waits(to), n)
  if replacement and (to == replacement or not expiry(replacement)) then
    redis.call('HDEL', slot(n), 'n')
    replacement = nil
  end
  local level = wanted(n, replacement)
  local fence = give(n, to, level)
  if to ~= asker then
    tell(to, 'g ' .. fence .. ' ' .. level .. ' ' .. n)
    if level == '2' then tell(to, 'r ' .. fence .. ' ' .. n) end
  end
  return to, fence, level
end

local function enter_line(me, n, mode, replacement)
  redis.call('HSET', waits(me), n, 'w')
  if mode == 'urgent' then
    if replacement and replacement ~= me then
      redis.call('HSET', waits(replacement), n, 's')
      tell(replacement, 's ' .. n)
    end
    redis.call('HSET', slot(n), 'n', me)
    redis.call('ZREM', line(n), me)
  elseif replacement ~= me then
    redis.call('ZADD', line(n), 'NX', redis.call('INCR', P .. ':seq'), me)
  end
end

local function acquire(me, n, mode, bornIn)
  if not expiry(me) then return {'dead'} end
  if bornIn > 0 then return {'young', int(bornIn)} end
  local holder, fence, replacement, known = unpack(redis.call('HMGET', slot(n), 's', 'f', 'n', 't'))
  if not holder then return {'granted', give(n, me, '0'), '0'} end
  if holder == me then
    fence = next_fence()
    redis.call('HSET', slot(n), 'f', fence)
    return {'granted', fence, known}
  end
  if mode ~= 'try' then enter_line(me, n, mode, replacement) end
  if not expiry(holder) then
    local to, granted, level = pass_on(n, me)
    if not to then return {'granted', give(n, me, '0'), '0'} end
    if to == me then return {'granted', granted, level} end
    fence = granted
  elseif mode ~= 'try' then
    local level = mode == 'urgent' and '2' or '1'
    if level > known then
      mark(n, holder, level)
      tell(holder, (level == '2' and 'r ' or 'c ') .. fence .. ' ' .. n)
    end
  end
  if mode == 'try' then return {'busy'} end
  return {'waiting', fence}
end

local function release(me, n, fence)
  local holder, held = unpack(redis.call('HMGET', slot(n), 's', 'f'))
  if holder == me and held == fence then pass_on(n) end
  return {}
end

-- Returns the holder of the slot.
local function leave_line(me, n)
  redis.call('ZREM', line(n), me)
  redis.call('HDEL', waits(me), n)
  local holder, replacement = unpack(redis.call('HMGET', slot(n), 's', 'n'))
  if replacement == me then
    redis.call('HDEL', slot(n), 'n')
    replacement = nil
  end
  if holder and holder ~= me then mark(n, holder, wanted(n, replacement)) end
  return holder
end

local function withdraw(me, n)
  if leave_line(me, n) == me then pass_on(n) end
  return {}
end
`;

const OPERATIONS = `
local function bury(id)
  redis.call('ZREM', SESSIONS, id)
  redis.call('HDEL', SPARED, id)
  redis.call('HDEL', NAMES, id)
  redis.call('SADD', DEAD, id)
end

-- Passes on slots of a dead session and leaves lines, at most so many. Returns how many.
local function clear(id, most)
  local held = redis.call('SPOP', owns(id), most)
  for _, n in ipairs(held) do
    if redis.call('HGET', slot(n), 's') == id then pass_on(n) end
  end
  local lines = most > #held and redis.call('HRANDFIELD', waits(id), most - #held) or {}
  for _, n in ipairs(lines) do leave_line(id, n) end
  if redis.call('EXISTS', owns(id), waits(id)) == 0 then
    redis.call('DEL', asked(id))
    redis.call('SREM', DEAD, id)
  end
  return #held + #lines
end

local function remove_expired()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', SESSIONS, '-inf', int(ms), 'LIMIT', 0, AT_ONCE)) do bury(id) end
end

local function clear_dead()
  local left = AT_ONCE
  for _, id in ipairs(redis.call('SRANDMEMBER', DEAD, AT_ONCE)) do
    if left == 0 then return end
    left = left - clear(id, left)
  end
end

-- What a session that waits for a slot should know.
local function news_of_waiting(me, n)
  local holder, fence, known = unpack(redis.call('HMGET', slot(n), 's', 'f', 't'))
  if holder == me then return 'g ' .. fence .. ' ' .. known .. ' ' .. n end
  local place = redis.call('HGET', waits(me), n)
  if place == 's' then return 's ' .. n end
  local at = expiry(holder)
  if not place or not at then return 'o ' .. n end -- its place was lost, or the holder is gone
  return 'u ' .. int(math.max(0, at - ms))
end

-- A session that does not wait any more for the slot has heard that it was superseded.
local function forget_superseded(me, waiting, count)
  if redis.call('HLEN', waits(me)) <= count then return end
  local places = redis.call('HGETALL', waits(me))
  for i = 1, #places, 2 do
    if places[i + 1] == 's' and not waiting[places[i]] then redis.call('HDEL', waits(me), places[i]) end
  end
end

local function beat(me, ttl)
  look_at_clock(ttl)
  if not expiry(me) then return {'d'} end
  redis.call('ZADD', SESSIONS, int(ms + ttl), me)
  redis.call('HDEL', SPARED, me)
  remove_expired()
  clear_dead()
  local out = {'h ' .. redis.call('SCARD', owns(me))}
  for _, n in ipairs(redis.call('SMEMBERS', asked(me))) do
    local fence, known = unpack(redis.call('HMGET', slot(n), 'f', 't'))
    out[#out + 1] = (known == '2' and 'r ' or 'c ') .. fence .. ' ' .. n
  end
  local waiting = {}
  for i = 5, #ARGV do
    waiting[ARGV[i]] = true
    out[#out + 1] = news_of_waiting(me, ARGV[i])
  end
  forget_superseded(me, waiting, #ARGV - 4)
  return out
end

local function holdings(me, only)
  local out = {}
  if not expiry(me) then return out end
  for _, n in ipairs(only and {only} or redis.call('SMEMBERS', owns(me))) do
    local holder, fence = unpack(redis.call('HMGET', slot(n), 's', 'f'))
    if holder == me then
      out[#out + 1] = n
      out[#out + 1] = fence
    end
  end
  return out
end

-- Some sessions. A place that a replacement took is counted until the next beat of its session.
local function sessions(me)
  local out = {}
  for i = 4, #ARGV do
    local id = ARGV[i]
    local at = expiry(id)
    local state = not at and 'dead' or id == me and 'self' or 'other'
    local name = redis.call('HGET', NAMES, id) or ''
    local held, waiting = redis.call('SCARD', owns(id)), redis.call('HLEN', waits(id))
    out[#out + 1] = {id, state, name, held, waiting, int(math.max(0, (at or 0) - ms))}
  end
  return out
end

-- How many sessions wait for a slot, and the names of the first ones. The dead have no name.
local function show_line(n, replacement, most)
  local dead = redis.call('EXISTS', DEAD) == 1 and #redis.call('ZINTER', 2, line(n), DEAD) or 0
  local count = redis.call('ZCARD', line(n)) - dead
  local ids = redis.call('ZRANGE', line(n), 0, most + dead - 1)
  if replacement and expiry(replacement) then
    count = count + 1
    table.insert(ids, 1, replacement)
  end
  local names = {}
  for _, id in ipairs(ids) do
    if #names == most then break end
    if expiry(id) then names[#names + 1] = redis.call('HGET', NAMES, id) or '' end
  end
  return count, names
end

local function show(me, most)
  local out = {}
  for i = 5, #ARGV do
    local n = ARGV[i]
    local holder, fence, replacement = unpack(redis.call('HMGET', slot(n), 's', 'f', 'n'))
    if holder then -- otherwise it was given back meanwhile
      local known = expiry(holder)
      local state = not known and 'gone' or holder == me and 'ours' or 'theirs'
      local count, names = show_line(n, replacement, most)
      out[#out + 1] = {n, fence, state, known and redis.call('HGET', NAMES, holder) or '', count, unpack(names)}
    end
  end
  return out
end

if op == 'slots' then
  local bornIn = ARGV[3] == 'careful' and tonumber(redis.call('HGET', CLOCK, 'born') or 0) - ms or 0
  local out = {}
  for i = 4, #ARGV, 4 do
    local what, me, n, rest = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    if what == 'acquire' then
      out[#out + 1] = acquire(me, n, rest, bornIn)
    elseif what == 'release' then
      out[#out + 1] = release(me, n, rest)
    else
      out[#out + 1] = withdraw(me, n)
    end
  end
  return out
end
if op == 'open' then
  look_at_clock(tonumber(ARGV[4]))
  remove_expired()
  redis.call('ZADD', SESSIONS, int(ms + ARGV[4]), ARGV[3])
  redis.call('HSET', NAMES, ARGV[3], ARGV[5])
  return {}
end
if op == 'beat' then return beat(ARGV[3], tonumber(ARGV[4])) end
if op == 'holdings' then return holdings(ARGV[3], ARGV[4]) end
if op == 'sessions' then return sessions(ARGV[3]) end
if op == 'show' then return show(ARGV[3], tonumber(ARGV[4])) end
-- end
bury(ARGV[3])
clear(ARGV[3], AT_ONCE)
return redis.call('SISMEMBER', DEAD, ARGV[3]) == 1 and {'more'} or {}
`;

export interface Script {
  readonly text: string;
  readonly sha: string;
}

const scriptOf = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') });

export const LEASES: Script = scriptOf(STATE + SLOTS + OPERATIONS);

/** How many dates of a schedule are kept. Older ones than these count as claimed. */
const KEPT = 1_000;

/**
 * The latest dates of a schedule that were claimed, each with the mark of its claim: a repeated
 * call whose first answer was lost is answered as the first one was.
 */
export const CLAIM: Script = scriptOf(`
local due, mark = ARGV[1], ARGV[2]
local claimed = redis.call('ZRANGEBYSCORE', KEYS[1], due, due)[1]
if claimed then return claimed == due .. ' ' .. mark and 1 or 0 end
if redis.call('ZCARD', KEYS[1]) >= ${KEPT} then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
  if tonumber(due) < tonumber(oldest) then return 0 end
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, 0)
end
redis.call('ZADD', KEYS[1], due, due .. ' ' .. mark)
return 1
`);
