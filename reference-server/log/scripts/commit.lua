#!lua flags=allow-oom
-- Begins a new epoch with a barrier entry and opens the log (docs/log-protocol.md).
-- KEYS: meta epochs seq req log recovery.
-- ARGV: round, origin, incarnation, reports that it decided by, id of the stream's last entry ('0-0': it is empty), log id, epoch, barrier text,
--       1 to replace the watermarks or 0 to keep the larger ones, number of earlier epochs,
--       then for each epoch: epoch, first index; then for each watermark: origin, seq.
-- Returns 'STALE', also when the stream ends elsewhere, or 0.
-- include retention
local round = redis.call('HMGET', KEYS[6], 'round', 'owner')
local tail = redis.call('XREVRANGE', KEYS[5], '+', '-', 'COUNT', 1)[1]
if round[1] ~= ARGV[1] or (round[2] ~= '' and round[2] ~= ARGV[2])
    or (round[2] == '' and redis.call('HLEN', KEYS[6]) - 3 ~= tonumber(ARGV[4]))
    or redis.call('HGET', KEYS[1], 'state') ~= 'recovering'
    or (tail and tail[1] or '0-0') ~= ARGV[5]
    or not string.find(redis.call('INFO', 'replication'), 'master_replid:' .. ARGV[3], 1, true) then
  return 'STALE'
end
local meta = redis.call('HMGET', KEYS[1], 'bytes', 'counted')
local count = tail and count_of(meta[1], meta[2]) or {}

-- A stream remembers the last id that it ever had, and takes only higher ones.
if tail then redis.call('XSETID', KEYS[5], ARGV[5]) else redis.call('UNLINK', KEYS[5]) end
local epoch = ARGV[7]
local top = (tail and index_of(tail[1]) or 0) + 1
redis.call('XADD', KEYS[5], epoch .. '-' .. digits(top), 'k', 'b', 'o', ARGV[2], 's', '0',
           'r', '', 'c', '', 't', ARGV[8])
local floor = index_of(redis.call('XRANGE', KEYS[5], '-', '+', 'COUNT', 1)[1][1])
if not count.id or count.index < floor then count = {bytes = 0, id = epoch .. '-' .. digits(top)} end
count.bytes = count.bytes + cost('', '', ARGV[8])

local first = 11
local marks = first + 2 * tonumber(ARGV[10])
local has_epochs = redis.call('HGET', KEYS[2], '0')
redis.call('DEL', KEYS[2])
for i = first, marks - 1, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[2], epoch, digits(top), '0', '0')

if ARGV[9] == '1' then redis.call('DEL', KEYS[3]) end
local function raise(origin, seq)
  if tonumber(seq) > (tonumber(redis.call('HGET', KEYS[3], origin) or '0') or 0) then
    redis.call('HSET', KEYS[3], origin, seq)
  end
end
-- Only a commit writes the fields '0' and '': without them a key was lost, perhaps in part.
if not (has_epochs and redis.call('HGET', KEYS[3], '') and redis.call('HGET', KEYS[4], '')) then
  -- Watermarks, retry keys and epochs come back for the newest entries.
  local newest = redis.call('XREVRANGE', KEYS[5], '+', '-', 'COUNT', 4096)
  for i = 1, #newest do
    local fields = newest[i][2]
    if fields[2] == 'b' then
      redis.call('HSETNX', KEYS[2], string.match(newest[i][1], '^(%d+)-(%d+)$'))
    elseif fields[2] == 'm' then
      raise(fields[4], fields[6])
      if fields[10] ~= '' then redis.call('HSETNX', KEYS[4], fields[10], newest[i][1]) end
    end
  end
  -- The barrier of the oldest entry's epoch may be trimmed.
  local oldest = redis.call('XRANGE', KEYS[5], '-', '+', 'COUNT', 1)[1][1]
  redis.call('HSETNX', KEYS[2], string.match(oldest, '^(%d+)-(%d+)$'))
end
forget_epochs(KEYS[2], floor)
for i = marks, #ARGV, 2 do raise(ARGV[i], ARGV[i + 1]) end
-- So these two exist also when nothing was sent yet.
redis.call('HSET', KEYS[3], '', '0')
redis.call('HSET', KEYS[4], '', '')

redis.call('HSET', KEYS[1], 'log_id', ARGV[6], 'epoch', epoch, 'state', 'open', 'incarnation', ARGV[3],
           'top', digits(top), 'floor', digits(floor))
store_count(KEYS[1], count)
redis.call('DEL', KEYS[6])
return 0
