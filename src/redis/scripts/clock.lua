-- In front of every script: the time by the server's clock, in milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Lua would write large numbers as 1.8e+12.
local function whole(number)
    return string.format('%.0f', number)
end
