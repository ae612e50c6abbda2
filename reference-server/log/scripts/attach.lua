-- What a node must know before it may append (log-protocol.md step 1). Reads only.
-- KEYS: meta epochs seq req log recovery.
-- ARGV: origin, id of the last entry the node has read ('' when none).
-- Returns what its last line says; an error that names the key when one is of another type than the log's.
local function wrong_type(key)
  return redis.error_reply('WRONGTYPE the key ' .. key .. ' is of another type than the log needs: remove it (DEL), ' ..
                           'and the nodes make it again')
end
for _, i in ipairs({1, 2, 3, 4, 6}) do
  local answer = redis.pcall('HGET', KEYS[i], '')
  if type(answer) == 'table' and string.find(answer.err, '^WRONGTYPE') then return wrong_type(KEYS[i]) end
end
local tail = redis.pcall('XREVRANGE', KEYS[5], '+', '-', 'COUNT', 1)
if tail.err then return string.find(tail.err, '^WRONGTYPE') and wrong_type(KEYS[5]) or tail end
local meta = redis.call('HMGET', KEYS[1], 'log_id', 'epoch', 'state', 'incarnation', 'top', 'floor')
local others = redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
local own_seq = redis.call('HGET', KEYS[3], ARGV[1])
local first = redis.call('XRANGE', KEYS[5], '-', '+', 'COUNT', 1)
local held = {}
if ARGV[2] ~= '' then held = redis.call('XRANGE', KEYS[5], ARGV[2], ARGV[2]) end
local round = redis.call('HGET', KEYS[6], 'round')
return {meta, others, own_seq or '0', first, tail, held, redis.call('HGETALL', KEYS[2]), round or ''}
