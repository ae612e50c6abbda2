-- Compare-and-set of the incarnation, after a node saw that this Redis still holds what it has read.
-- KEYS: meta.
-- ARGV: log id, incarnation stored so far, top as it was when compared, incarnation now.
-- Returns 1 when set.
local meta = redis.call('HMGET', KEYS[1], 'log_id', 'incarnation', 'top')
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[2] or meta[3] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'incarnation', ARGV[4])
return 1
