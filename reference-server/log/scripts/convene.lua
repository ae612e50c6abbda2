#!lua flags=allow-oom
-- Opens a recovery round, if the log still is as it was found (docs/log-protocol.md).
-- KEYS: meta recovery log.
-- ARGV: log id, epoch, state, incarnation, round as found ('' for what is missing), the new round.
-- Returns 1 when done. From then on nobody can append, until a node commits.
local meta = redis.call('HMGET', KEYS[1], 'log_id', 'epoch', 'state', 'incarnation')
for i = 1, 4 do
  if (meta[i] or '') ~= ARGV[i] then return 0 end
end
if (redis.call('HGET', KEYS[2], 'round') or '') ~= ARGV[5] then return 0 end
-- A stream that was touched is counted anew.
local tail = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
local top = redis.call('HGET', KEYS[1], 'top')
if not tail or not meta[2] or not top or tail[1] ~= meta[2] .. '-' .. top then
  redis.call('HDEL', KEYS[1], 'bytes', 'counted')
end
redis.call('HSET', KEYS[1], 'state', 'recovering')
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'round', ARGV[6], 'owner', '', 'progress', '0')
return 1
