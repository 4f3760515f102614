-- Forgets a token. Its fences stay for an hour, so that a claim from before
-- cannot bring another back.
--
-- KEYS: token   ARGV: fence of the token that is meant; 0 for any
local fence = redis.call('HGET', KEYS[1], 'fence')
if fence and (ARGV[1] == '0' or ARGV[1] == fence) then
    redis.call('HDEL', KEYS[1], 'value', 'issued', 'ends')
    redis.call('PEXPIRE', KEYS[1], 3600000)
end
return 0
