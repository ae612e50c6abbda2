-- Puts entries back, with the ids that they had, and what the other keys say of them: whoever takes a half-done repair
-- over finds them in agreement (docs/log-protocol.md). When Redis is out of memory the oldest entries make room.
-- KEYS: meta recovery log req epochs seq.
-- ARGV: round, origin, incarnation, reports that it decided by, id of the stream's last entry ('0-0': it is empty),
--       then for each entry: id, kind, origin, seq, room, client message id, text.
-- Returns 'STALE', also when the stream ends elsewhere, or 0.
-- include retention
local entry_fields = 7
local first = 6
local round = redis.call('HMGET', KEYS[2], 'round', 'owner')
local tail = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
if round[1] ~= ARGV[1] or (round[2] ~= '' and round[2] ~= ARGV[2])
    or (round[2] == '' and redis.call('HLEN', KEYS[2]) - 3 ~= tonumber(ARGV[4]))
    or redis.call('HGET', KEYS[1], 'state') ~= 'recovering'
    or (tail and tail[1] or '0-0') ~= ARGV[5]
    or not string.find(redis.call('INFO', 'replication'), 'master_replid:' .. ARGV[3], 1, true) then
  return 'STALE'
end
local meta = redis.call('HMGET', KEYS[1], 'bytes', 'counted')
local count = tail and count_of(meta[1], meta[2]) or {bytes = 0, id = ARGV[first], index = index_of(ARGV[first])}
local full = out_of_memory(KEYS[2], 'round')
if full then
  if not tail or not string.find(full.err, '^OOM') then return full end
  local coming = 0
  for i = first, #ARGV, entry_fields do
    coming = coming + cost(ARGV[i + 4], ARGV[i + 5], ARGV[i + 6])
  end
  local floor = index_of(redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1][1])
  local _, _, bytes = trim(KEYS[3], KEYS[4], count, floor, index_of(tail[1]), 0, 2 * coming)
  if bytes > 0 then store_count(KEYS[1], count) end
  if bytes < coming then return full end
end
-- A stream remembers the last id that it ever had, and takes only higher ones.
if tail then redis.call('XSETID', KEYS[3], ARGV[5]) else redis.call('UNLINK', KEYS[3]) end
redis.call('HSET', KEYS[2], 'owner', ARGV[2])
redis.call('HINCRBY', KEYS[2], 'progress', 1)
-- Should an XADD fail half-way.
store_count(KEYS[1], {})
for i = first, #ARGV, entry_fields do
  redis.call('XADD', KEYS[3], ARGV[i], 'k', ARGV[i + 1], 'o', ARGV[i + 2], 's', ARGV[i + 3],
             'r', ARGV[i + 4], 'c', ARGV[i + 5], 't', ARGV[i + 6])
  count.bytes = count.bytes + cost(ARGV[i + 4], ARGV[i + 5], ARGV[i + 6])
  if ARGV[i + 1] == 'b' then redis.call('HSET', KEYS[5], string.match(ARGV[i], '^(%d+)-(%d+)$')) end
  if ARGV[i + 1] == 'm' then
    if ARGV[i + 5] ~= '' then redis.call('HSET', KEYS[4], ARGV[i + 5], ARGV[i]) end
    local known = redis.call('HGET', KEYS[6], ARGV[i + 2]) or '0'
    if tonumber(ARGV[i + 3]) > (tonumber(known) or 0) then redis.call('HSET', KEYS[6], ARGV[i + 2], ARGV[i + 3]) end
  end
end
store_count(KEYS[1], count)
return 0
