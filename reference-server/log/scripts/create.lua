-- Creates the log where there is nothing at all, with a barrier as its first entry, so that the
-- stream never is empty.
-- KEYS: meta epochs seq req log.
-- ARGV: log id, incarnation, origin.
-- Returns 1, or 0 when there was something.
if redis.call('EXISTS', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]) > 0 then return 0 end
redis.call('XADD', KEYS[5], '1-1', 'k', 'b', 'o', ARGV[3], 's', '0', 'r', '', 'c', '', 't', '')
redis.call('HSET', KEYS[2], '1', '1')
redis.call('HSET', KEYS[1], 'log_id', ARGV[1], 'epoch', '1', 'state', 'open',
           'incarnation', ARGV[2], 'top', '1', 'floor', '1')
return 1
