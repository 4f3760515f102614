-- The token under a key.
--
-- KEYS: generation, token   ARGV: generation that the caller knows, or empty; a name for a new one
-- Gives the generation, how many ms others may still put tokens back for, the
-- sealed value or false, its age and the rest of its life in ms, its fence, the
-- age of its session in ms.
local name, hold = generation(KEYS[1], ARGV[1], ARGV[2])
local stored = redis.call('HMGET', KEYS[2], 'value', 'issued', 'ends', 'fence', 'opened')
if not (stored[1] and stored[2] and stored[3] and stored[4]) then
    return {name, hold, false, 0, 0, 0, 0}
end
local age, left = math.max(0, now - stored[2]), math.max(0, stored[3] - now)
-- Earlier versions did not note when the session was opened.
return {name, hold, stored[1], age, left, tonumber(stored[4]), math.max(0, now - (stored[5] or stored[2]))}
