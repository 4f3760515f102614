-- Notes what is answered of a taxpayer; takes it off the list with the last.
-- By the worker that holds it alone.
--
-- KEYS: list, state
-- ARGV: 1 name of the worker   2 id   3 groups of goods that are answered; empty for all
-- Gives whether this worker held it.
if redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end
if #redis.call('XPENDING', KEYS[1], 'workers', ARGV[2], ARGV[2], 1, ARGV[1]) == 0 then
    return 0
end
if ARGV[3] ~= '' then
    redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
    return 1
end
redis.call('XACK', KEYS[1], 'workers', ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('HDEL', KEYS[2], ARGV[2])
return 1
