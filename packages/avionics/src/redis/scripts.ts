import { createHash } from 'node:crypto';

/** A Lua script: Redis runs it as one step. */
export interface Script {
  source: string;
  sha: string;
}

const script = (source: string): Script => ({
  source,
  sha: createHash('sha1').update(source).digest('hex'),
});

/**
 * The server's clock is the clock of all. Numbers go in as text: Lua would write large ones with an exponent.
 * Needs Redis 5, where scripts that read the clock may write.
 */
const CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function int(number) return string.format('%.0f', number) end
`;

/**
 * A window is a hash: its \`start\`, the sums \`spent\` and \`held\`, and an amount a reservation, \`i:ID\`. A sorted set has
 * the ids by the end of their lives. Both are gone when the window is over.
 */
const WINDOW = `${CLOCK}
-- A length in milliseconds, or the edges of some windows in a row: months.
local function bounds(spec)
  local length = tonumber(spec)
  if length then
    local start = now - now % length
    return start, start + length
  end
  local last
  for text in string.gmatch(spec, '%d+') do
    local edge = tonumber(text)
    if last and now < edge then return last, edge end
    last = edge
  end
  error('the clocks of Redis and of its client are months apart')
end

-- What is spent and held in the window that begins at start; what has expired is given back before.
local function sums(hash, pending, start)
  if redis.call('HGET', hash, 'start') ~= int(start) then return 0, 0 end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', pending, '-inf', now, 'LIMIT', 0, 500)) do
    local amount = redis.call('HGET', hash, 'i:' .. id)
    if amount then redis.call('HINCRBY', hash, 'held', int(0 - amount)) end
    redis.call('HDEL', hash, 'i:' .. id)
    redis.call('ZREM', pending, id)
  end
  local found = redis.call('HMGET', hash, 'spent', 'held')
  return tonumber(found[1] or 0), tonumber(found[2] or 0)
end
`;

/**
 * KEYS: mark of the settled id, then hash and pending set of each window.
 * ARGV: id, ttl, then limit, amount and window of each.
 * Returns granted (1 or 0), the time, then start, end, spent and held of each window.
 */
export const RESERVE: Script = script(`${WINDOW}
if redis.call('EXISTS', KEYS[1]) == 1 then error('this reservation is settled already') end
local id, ttl = ARGV[1], tonumber(ARGV[2])
local count = (#KEYS - 1) / 2
local full, again = false, false
local reply = { 1, now }
for i = 1, count do
  local hash, pending = KEYS[2 * i], KEYS[2 * i + 1]
  local limit, amount = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local start, finish = bounds(ARGV[3 * i + 2])
  local spent, held = sums(hash, pending, start)
  if amount > 0 and spent + held >= limit then full = true end
  if redis.call('HEXISTS', hash, 'i:' .. id) == 1 then again = true end
  for _, number in ipairs({ start, finish, spent, held }) do reply[#reply + 1] = number end
end
if again then return reply end
if full then
  reply[1] = 0
  return reply
end
for i = 1, count do
  local hash, pending = KEYS[2 * i], KEYS[2 * i + 1]
  local start, finish = reply[4 * i - 1], reply[4 * i]
  if redis.call('HGET', hash, 'start') ~= int(start) then
    redis.call('DEL', hash, pending)
    redis.call('HSET', hash, 'start', int(start))
  end
  redis.call('HINCRBY', hash, 'held', ARGV[3 * i + 1])
  redis.call('HSET', hash, 'i:' .. id, ARGV[3 * i + 1])
  redis.call('ZADD', pending, int(now + ttl), id)
  redis.call('PEXPIREAT', hash, int(finish))
  redis.call('PEXPIREAT', pending, int(finish))
end
return reply
`);

/**
 * KEYS: as with RESERVE. ARGV: id, milliseconds to remember it, then start, end and amount of each window.
 * An id counts once.
 */
export const SETTLE: Script = script(`${CLOCK}
local id = ARGV[1]
if not redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[2]) then return 0 end
for i = 1, (#KEYS - 1) / 2 do
  local hash, pending = KEYS[2 * i], KEYS[2 * i + 1]
  local start, finish, amount = ARGV[3 * i], ARGV[3 * i + 1], ARGV[3 * i + 2]
  local current = redis.call('HGET', hash, 'start')
  local reserved = redis.call('HGET', hash, 'i:' .. id)
  if reserved then
    redis.call('HINCRBY', hash, 'held', int(0 - reserved))
    redis.call('HDEL', hash, 'i:' .. id)
    redis.call('ZREM', pending, id)
  elseif not current and now < tonumber(finish) and amount ~= '0' then
    redis.call('HSET', hash, 'start', start)
    redis.call('PEXPIREAT', hash, finish)
    current = start
  end
  if reserved or current == start then redis.call('HINCRBY', hash, 'spent', amount) end
end
return 1
`);

/** KEYS: hash and pending set of each window. ARGV: each window. Returns start, end, spent and held of each. */
export const USAGE: Script = script(`${WINDOW}
local reply = {}
for i = 1, #KEYS / 2 do
  local start, finish = bounds(ARGV[i])
  local spent, held = sums(KEYS[2 * i - 1], KEYS[2 * i], start)
  for _, number in ipairs({ start, finish, spent, held }) do reply[#reply + 1] = number end
end
return reply
`);

/** The holders of a key's places, by the end of their claims. */
const PLACES = `${CLOCK}
local function taken()
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  return redis.call('ZCARD', KEYS[1])
end
local function take(holder, ttl)
  redis.call('ZADD', KEYS[1], int(now + ttl), holder)
  if redis.call('PTTL', KEYS[1]) < ttl then redis.call('PEXPIRE', KEYS[1], int(ttl)) end
end
`;

/** KEYS: the key. ARGV: capacity, holder, ttl. Returns granted (1 or 0) and the places taken then. */
export const CLAIM: Script = script(`${PLACES}
local count = taken()
local known = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not known and count >= tonumber(ARGV[1]) then return { 0, count } end
take(ARGV[2], tonumber(ARGV[3]))
return { 1, known and count or count + 1 }
`);

/** KEYS: the key. ARGV: holder, ttl. */
export const RENEW: Script = script(`${PLACES}
take(ARGV[1], tonumber(ARGV[2]))
return 1
`);

/** KEYS: the key. */
export const HELD: Script = script(`${PLACES}
return taken()
`);

/** KEYS: any key. Does what the others need: reads the clock and writes. */
export const PROBE: Script = script(`${CLOCK}
redis.call('SET', KEYS[1], int(now), 'PX', 1000)
return 1
`);
