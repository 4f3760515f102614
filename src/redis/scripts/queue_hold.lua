-- Says that a worker is still at what it took.
--
-- KEYS: list   ARGV: name of the worker, then ids
if redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end
for index = 2, #ARGV do
    local id = ARGV[index]
    if #redis.call('XPENDING', KEYS[1], 'workers', id, id, 1, ARGV[1]) > 0 then
        redis.call('XCLAIM', KEYS[1], 'workers', ARGV[1], 0, id, 'JUSTID')
    end
end
return 0
