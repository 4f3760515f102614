-- The name of what is stored here. It goes when everything goes (a flush, a
-- restart without a copy on disk), and that is how a worker knows of it: it
-- had known another name. `hold`: for so many milliseconds the others may
-- still put back what they know.
local function generation(key, known, new)
    local stored = redis.call('HMGET', key, 'name', 'hold')
    local name, hold = stored[1], tonumber(stored[2] or '0')
    if not name then
        name = new
        hold = known ~= '' and now + 3000 or 0
        redis.call('HSET', key, 'name', name, 'hold', whole(hold))
    end
    redis.call('PEXPIRE', key, 86400000)
    return name, math.max(0, math.min(3000, hold - now))
end
