-- The right to renew a token, for one worker at a time.
--
-- KEYS: claim, token   ARGV: name of the worker, ms until the claim ends by itself
-- Gives the fence of the claim, a number above all before it; 0 if another has it.
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
    return 0
end
local stored = redis.call('HMGET', KEYS[2], 'fence', 'claimed')
local last = math.max(tonumber(stored[1] or '0'), tonumber(stored[2] or '0'))
local fence = math.max(time[1] * 1000000 + time[2], last + 1)
-- Noted at once: who held the claim before can write no more, not even before
-- the new holder has.
redis.call('HSET', KEYS[2], 'claimed', whole(fence))
if redis.call('PTTL', KEYS[2]) < 0 then
    redis.call('PEXPIRE', KEYS[2], 3600000)
end
return fence
