-- Puts a firm on the list, a part at a time. Workers that bring the same firm
-- fill the same list: who finds a part missing adds it.
--
-- KEYS: list (a stream), state (a hash)
-- ARGV: 1 digest of the firm   2 ms that the state is kept   3 index of the first of these   4… taxpayers, sealed
-- Gives how many are on it, or were; -1 if the list is of another firm.
local state = redis.call('HMGET', KEYS[2], 'digest', 'filled')
if not state[1] then
    redis.call('HSET', KEYS[2], 'digest', ARGV[1], 'filled', 0)
    redis.call('XGROUP', 'CREATE', KEYS[1], 'workers', '0', 'MKSTREAM')
elseif state[1] ~= ARGV[1] then
    return -1
end
local filled = tonumber(state[2] or '0')
if filled == tonumber(ARGV[3]) then
    for index = 4, #ARGV do
        redis.call('XADD', KEYS[1], '*', 'taxpayer', ARGV[index])
    end
    filled = filled + #ARGV - 3
    redis.call('HSET', KEYS[2], 'filled', filled)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return filled
