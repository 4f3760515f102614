-- Keeps a token until its end, unless a newer one is there.
--
-- KEYS: token
-- ARGV: 1 fence of the claim under which it was had; 0 for none
--       2 sealed value   3 age in ms   4 rest of its life in ms
--       5 `new`; `renewed` for one that takes the place of another; `back` for
--         one that is put back after a loss
--       6 fence of the token whose place it takes, as far as it is known; or 0
--       7 for how many ms its session has been open; for `renewed` as far as it is not known here
-- Gives the fence it is kept under; 0 if another is kept; -1 if its session was ended.
local stored = redis.call('HMGET', KEYS[1], 'fence', 'claimed', 'ends', 'ended', 'opened')
local kept = tonumber(stored[1] or '0')
local last = math.max(kept, tonumber(stored[2] or '0'))
local ends, ended = tonumber(stored[3] or '0'), tonumber(stored[4] or '0')
local fence, own_end = tonumber(ARGV[1]), now + ARGV[4]
if fence > 0 and fence < last then
    return 0
end
-- What was opened before an end is over, whenever it was renewed. An end in the
-- future says nothing but that the clock was set back.
local opened = now - ARGV[7]
local over = opened < math.min(ended, now)
if ARGV[5] == 'renewed' and stored[5] then
    opened = tonumber(stored[5])
    -- An end in the millisecond in which this session was opened came after that:
    -- one that came before is noted as of the millisecond before, below.
    over = opened <= math.min(ended, now)
end
if over then
    return -1
end
if ARGV[5] == 'back' then
    if own_end <= ends then
        return 0
    end
    fence = math.max(fence, last)
elseif fence == 0 then
    local known = tonumber(ARGV[6])
    if ARGV[5] == 'renewed' and known > 0 and kept > 0 and kept ~= known then
        return 0
    end
    fence = math.max(time[1] * 1000000 + time[2], last + 1)
end
redis.call('HSET', KEYS[1], 'fence', whole(fence), 'value', ARGV[2],
    'issued', whole(now - ARGV[3]), 'opened', whole(opened), 'ends', whole(own_end),
    'ended', whole(math.min(ended, opened - 1)))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return fence
