#!lua flags=allow-oom
-- Removes the newest entries of the stream, down to `keep` (docs/log-protocol.md); all of them with everything
-- that is known of them.
-- KEYS: meta recovery log req epochs seq.
-- ARGV: round, origin, incarnation, reports that it decided by, id to keep ('0-0': nothing), entries to remove at most.
-- Returns 'STALE', or how many entries may be left to remove. The first repair of a round makes its origin the owner,
-- unless there are reports that it has not seen.
-- include retention
local round = redis.call('HMGET', KEYS[2], 'round', 'owner')
if round[1] ~= ARGV[1] or (round[2] ~= '' and round[2] ~= ARGV[2])
    or (round[2] == '' and redis.call('HLEN', KEYS[2]) - 3 ~= tonumber(ARGV[4]))
    or redis.call('HGET', KEYS[1], 'state') ~= 'recovering'
    or not string.find(redis.call('INFO', 'replication'), 'master_replid:' .. ARGV[3], 1, true) then
  return 'STALE'
end
redis.call('HSET', KEYS[2], 'owner', ARGV[2])
redis.call('HINCRBY', KEYS[2], 'progress', 1)
if ARGV[5] == '0-0' then
  redis.call('UNLINK', KEYS[3], KEYS[4], KEYS[5], KEYS[6])
  store_count(KEYS[1], {})
  return 0
end
local keep = index_of(ARGV[5])
local epochs = redis.call('HGETALL', KEYS[5])
for i = 1, #epochs, 2 do
  if (tonumber(epochs[i + 1]) or keep + 1) > keep then redis.call('HDEL', KEYS[5], epochs[i]) end
end
local found = redis.call('XREVRANGE', KEYS[3], '+', '(' .. ARGV[5], 'COUNT', ARGV[6])
local meta = redis.call('HMGET', KEYS[1], 'bytes', 'counted')
local count = count_of(meta[1], meta[2])
local ids = {}
for i = 1, #found do
  ids[i] = found[i][1]
  count.bytes = count.bytes - cost_of(found[i][2])
end
-- Else what is counted goes with them.
if count.id and count.index > keep then count = {} end
store_count(KEYS[1], count)
if #ids > 0 then redis.call('XDEL', KEYS[3], unpack(ids)) end
if #ids == tonumber(ARGV[6]) then return 1 end
-- So that entries with ids below those that went can be added.
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('XSETID', KEYS[3], ARGV[5]) end
return 0
