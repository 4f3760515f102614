-- The requests of the last minute, counted in slots. In one step: takes a
-- permission if there is one, or tells how long to wait.
--
-- KEYS: generation, slots (sorted set), counts (hash: a field for each slot,
--       `used` for their sum, `paused` for a moment)
-- ARGV: 1 generation that the caller knows, or empty   2 name for a new one
--       3 limit   4 take: 1, only look: 0, give back: -1   5 pause in ms
--       6 ms that a slot counts for   7 ms of a slot   8 permissions that the caller knows of
--       9… requests that are not counted here yet: age in ms, number
-- Gives the wait in ms (0: go; -1: tell first what you have sent), the
-- generation, how many permissions it has given, and for how many ms all pause.
local limit, take, pause = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local span, slot = tonumber(ARGV[6]), tonumber(ARGV[7])

local name, hold = generation(KEYS[1], ARGV[1], ARGV[2])
local given = tonumber(redis.call('HGET', KEYS[1], 'given') or '0')
if ARGV[1] == name and given < tonumber(ARGV[8]) then
    -- The server came back with an older copy of itself.
    name = ARGV[2]
    redis.call('HSET', KEYS[1], 'name', name, 'hold', whole(now + 3000))
    redis.call('DEL', KEYS[2], KEYS[3])
end
if ARGV[1] ~= '' and ARGV[1] ~= name then
    return {-1, name, given, 0}
end

local function add(number, count)
    redis.call('ZADD', KEYS[2], number, number)
    redis.call('HINCRBY', KEYS[3], number, count)
    redis.call('HINCRBY', KEYS[3], 'used', count)
end

local current = math.floor(now / slot)
local paused = tonumber(redis.call('HGET', KEYS[3], 'paused') or '0')

local newest = redis.call('ZRANGE', KEYS[2], -1, -1)[1]
if newest and tonumber(newest) > current then
    -- The clock was set back. When things were sent is not known any more, so
    -- all of it counts as sent now.
    local used = redis.call('HGET', KEYS[3], 'used')
    redis.call('DEL', KEYS[2], KEYS[3])
    add(whole(current), used)
    paused = math.min(paused, now + 3600000)
    redis.call('HSET', KEYS[3], 'paused', whole(paused))
end

local oldest = math.floor((now - span) / slot)
for _, number in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', oldest)) do
    redis.call('HINCRBY', KEYS[3], 'used', -redis.call('HGET', KEYS[3], number))
    redis.call('HDEL', KEYS[3], number)
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', oldest)

for index = 9, #ARGV, 2 do
    local moment = now - ARGV[index] + slot
    local number = math.min(current, math.floor(moment / slot))
    if number > oldest then
        add(whole(number), ARGV[index + 1])
    end
end

if pause > 0 then
    paused = math.max(paused, now + pause)
    redis.call('HSET', KEYS[3], 'paused', whole(paused))
end

local used = tonumber(redis.call('HGET', KEYS[3], 'used') or '0')
if take == -1 and used > 0 then
    local last = redis.call('ZRANGE', KEYS[2], -1, -1)[1]
    if tonumber(redis.call('HGET', KEYS[3], last)) > 0 then
        add(last, -1)
    end
end

local wait = math.max(0, paused - now, hold)
if used >= limit then
    local first = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
    wait = math.max(wait, first * slot + span - now)
end
if take == 1 and wait == 0 then
    add(whole(current), 1)
    given = redis.call('HINCRBY', KEYS[1], 'given', 1)
end
local life = whole(math.max(span, paused - now) + span)
redis.call('PEXPIRE', KEYS[2], life)
redis.call('PEXPIRE', KEYS[3], life)
return {wait, name, given, math.max(0, paused - now)}
