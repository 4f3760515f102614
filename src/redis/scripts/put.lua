-- Keeps a token until its end, unless a newer one is there.
--
-- KEYS: token
-- ARGV: 1 fence of the claim under which it was had; 0 for none
--       2 sealed value   3 age in ms   4 rest of its life in ms
--       5 `new`, or `back` for one that is put back after a loss
-- Gives the fence it is kept under; 0 if it was not kept.
local stored = redis.call('HMGET', KEYS[1], 'fence', 'claimed', 'ends')
local last = math.max(tonumber(stored[1] or '0'), tonumber(stored[2] or '0'))
local ends = tonumber(stored[3] or '0')
local fence, own_end = tonumber(ARGV[1]), now + ARGV[4]
if fence > 0 and fence < last then
    return 0
end
if ARGV[5] == 'back' then
    if own_end <= ends then
        return 0
    end
    fence = math.max(fence, last)
elseif fence == 0 then
    fence = math.max(time[1] * 1000000 + time[2], last + 1)
end
redis.call('HSET', KEYS[1], 'fence', whole(fence), 'value', ARGV[2],
    'issued', whole(now - ARGV[3]), 'ends', whole(own_end))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return fence
