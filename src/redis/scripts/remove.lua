-- Forgets a token. Its fences stay for an hour, so that a claim from before
-- cannot bring another back.
--
-- KEYS: token
-- ARGV: fence of the token that is meant, which the provider refused; 0 for
--       any, since its session was ended
local stored = redis.call('HMGET', KEYS[1], 'fence', 'claimed')
if ARGV[1] == '0' then
    -- Noted for as long as any token lives: who holds one from before the end,
    -- or a claim, can write no more.
    local last = math.max(tonumber(stored[1] or '0'), tonumber(stored[2] or '0'))
    local fence = math.max(time[1] * 1000000 + time[2], last + 1)
    redis.call('HDEL', KEYS[1], 'value', 'issued', 'ends')
    redis.call('HSET', KEYS[1], 'claimed', whole(fence), 'ended', whole(now))
    redis.call('PEXPIRE', KEYS[1], 86400000)
elseif stored[1] == ARGV[1] then
    redis.call('HDEL', KEYS[1], 'value', 'issued', 'ends')
    redis.call('PEXPIRE', KEYS[1], 3600000)
end
return 0
