-- What a node must know before it may append (docs/log-protocol.md). Reads only.
-- KEYS: meta epochs seq req log recovery.
-- ARGV: origin, id of the last entry the node has read ('' when none).
-- Returns what its last line says; an error that names the key when one is of another type than the log's.
-- include types
local wrong = other_type({KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[6]}, KEYS[5])
if wrong then return wrong end
local tail = redis.call('XREVRANGE', KEYS[5], '+', '-', 'COUNT', 1)
local meta = redis.call('HMGET', KEYS[1], 'log_id', 'epoch', 'state', 'incarnation', 'top', 'floor')
local others = redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
local own_seq = redis.call('HGET', KEYS[3], ARGV[1])
local first = redis.call('XRANGE', KEYS[5], '-', '+', 'COUNT', 1)
local held = {}
if ARGV[2] ~= '' then held = redis.call('XRANGE', KEYS[5], ARGV[2], ARGV[2]) end
local round = redis.call('HGET', KEYS[6], 'round')
return {meta, others, own_seq or '0', first, tail, held, redis.call('HGETALL', KEYS[2]), round or ''}
