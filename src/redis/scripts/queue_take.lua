-- Takes taxpayers from the list: new ones, or else those of workers that have
-- not been heard of for some time.
--
-- KEYS: list, state
-- ARGV: 1 name of the worker   2 how many at most   3 ms of silence after which a worker is given up
--       4 ms that the state is kept
-- Gives how many are open in all, -1 if the list is gone; then for each taken: id,
-- sealed taxpayer, groups of goods that are answered already.
if redis.call('EXISTS', KEYS[2]) == 0 then
    return {-1}
end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
if redis.call('PEXPIRE', KEYS[1], ARGV[4]) == 0 then
    return {0}
end
local taken = redis.call('XREADGROUP', 'GROUP', 'workers', ARGV[1], 'COUNT', ARGV[2], 'STREAMS', KEYS[1], '>')
taken = taken and taken[1] and taken[1][2] or {}
if #taken == 0 then
    -- From the start each time: what is open is what is pending.
    local start = '0-0'
    repeat
        local claimed = redis.call('XAUTOCLAIM', KEYS[1], 'workers', ARGV[1], ARGV[3], start, 'COUNT', ARGV[2])
        start, taken = claimed[1], claimed[2]
    until #taken > 0 or start == '0-0'
end
local open = redis.call('XLEN', KEYS[1])
if open == 0 then
    redis.call('DEL', KEYS[1])
end
local answer = {open}
for _, entry in ipairs(taken) do
    table.insert(answer, entry[1])
    table.insert(answer, entry[2][2])
    table.insert(answer, redis.call('HGET', KEYS[2], entry[1]) or '')
end
return answer
