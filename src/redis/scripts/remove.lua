-- Forgets a token. Its fences stay for an hour, so that a claim from before
-- cannot bring another back.
--
-- KEYS: token
-- ARGV: 1 fence of the token that is meant, which the provider refused; 0 for
--         any, since its session was ended
--       2 for how many ms the end could not be told; 0 for one that is told at once
local stored = redis.call('HMGET', KEYS[1], 'fence', 'claimed', 'opened', 'issued', 'ended')
if ARGV[1] == '0' then
    local opened = tonumber(stored[3] or stored[4] or '0')
    local ended = math.max(now - ARGV[2], math.min(now, tonumber(stored[5] or '0')))
    if ARGV[2] ~= '0' and opened > ended and opened <= now then
        -- Another was opened after that, and stays.
        redis.call('HSET', KEYS[1], 'ended', whole(ended))
        return 0
    end
    -- Noted for as long as any token lives: who holds one from before the end,
    -- or a claim, can write no more.
    local last = math.max(tonumber(stored[1] or '0'), tonumber(stored[2] or '0'))
    local fence = math.max(time[1] * 1000000 + time[2], last + 1)
    redis.call('HDEL', KEYS[1], 'value', 'issued', 'ends')
    redis.call('HSET', KEYS[1], 'claimed', whole(fence), 'ended', whole(ended))
    redis.call('PEXPIRE', KEYS[1], 86400000)
elseif stored[1] == ARGV[1] then
    redis.call('HDEL', KEYS[1], 'value', 'issued', 'ends')
    redis.call('PEXPIRE', KEYS[1], 3600000)
end
return 0
