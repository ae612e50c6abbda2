-- Appends entries of one origin, up to the first gap (log-protocol.md step 2).
-- KEYS: meta seq req log epochs.
-- ARGV: log id, epoch, incarnation, origin, retained entries, after seq,
--       then for each entry: kind, seq, room, client message id, text.
--
-- Returns {'STALE'} when the node must attach again: the log is not open in this epoch and incarnation, the server that
-- runs this is of another incarnation, a key is missing, or the stream does not end where it should. Else {'OK', top, floor, result...} with a result for each
-- entry:
--   index           appended there
--   'DUP id'        this seq was used before; id: where the client message id is, '' when trimmed
--   'DUPCLIENT id'  another entry has this client message id: the seq is used up, nothing is added
--   'CONFLICT'      that client message id belongs to another message (other room or text): as DUPCLIENT
--   'GAP seq'       the message before it in its origin's order is not in the log; seq: the last one known; no result
--                   follows
--
-- `after seq` is the one that must be known before the first entry, each entry's the one before it; 0: nothing matters.
-- Seqs need not be dense. Entries with seq 0 (heartbeats) have no place in the origin's sequence and may be repeated.
--
-- A client message id lives in `req` as long as its entry lives in the stream: within the retention, a message that is
-- sent again, through whatever node and in whatever order, is recognised; beyond it, it is a new message.
local entry_fields = 5
local first = 7
-- Entries are trimmed together, so that the cost of looking up what goes is shared.
local trim_min, trim_max = 128, 1024

local meta = redis.call('HMGET', KEYS[1], 'log_id', 'epoch', 'state', 'incarnation', 'top', 'floor')
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[2] or meta[3] ~= 'open' or meta[4] ~= ARGV[3]
    or redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4], KEYS[5]) ~= 4
    or not string.find(redis.call('INFO', 'replication'), 'master_replid:' .. ARGV[3], 1, true) then
  return {'STALE'}
end
local epoch, origin = ARGV[2], ARGV[4]
-- Lua prints numbers with 14 digits unless told otherwise.
local function digits(number) return string.format('%.0f', number) end

-- Whether the entry at `id` is the message whose arguments begin at `i`; nil when there is no such entry.
local function is_same(id, i)
  local found = redis.call('XRANGE', KEYS[4], id, id)[1]
  if not found then return nil end
  return found[2][8] == ARGV[i + 2] and found[2][12] == ARGV[i + 4]
end

local ids = {}
for i = first, #ARGV, entry_fields do
  if ARGV[i + 3] ~= '' then ids[#ids + 1] = ARGV[i + 3] end
end
local known = {}
if #ids > 0 then
  local found = redis.call('HMGET', KEYS[3], unpack(ids))
  for i = 1, #ids do known[ids[i]] = found[i] or nil end
end

local top, floor = tonumber(meta[5]), tonumber(meta[6])
local last = tonumber(redis.call('HGET', KEYS[2], origin) or '0')
local before = tonumber(ARGV[6])
local results, added = {'OK', 0, 0}, {}

-- A stream takes only higher ids than it ever had. One that was added by hand and removed again leaves nothing but that
-- mark: false unless that is all.
local function forget_higher_ids()
  local tail = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)[1]
  if not tail or tail[1] ~= epoch .. '-' .. digits(top) then return false end
  redis.call('XSETID', KEYS[4], tail[1])
  return true
end

for i = first, #ARGV, entry_fields do
  local seq, client_id = tonumber(ARGV[i + 1]), ARGV[i + 3]
  local id = known[client_id]
  local same
  if id then same = is_same(id, i) end
  local result
  if seq ~= 0 and seq <= last then
    result = same == false and 'CONFLICT' or 'DUP ' .. (id or '')
  elseif seq ~= 0 and before > last then
    results[#results + 1] = 'GAP ' .. digits(last)
    break
  else
    if seq ~= 0 then last = seq end
    -- An id whose entry was lost with a branch of the log is as good as unknown.
    if same ~= nil then
      result = same and 'DUPCLIENT ' .. id or 'CONFLICT'
    else
      id = epoch .. '-' .. digits(top + 1)
      local entry = {'XADD', KEYS[4], id, 'k', ARGV[i], 'o', origin, 's', ARGV[i + 1],
                     'r', ARGV[i + 2], 'c', client_id, 't', ARGV[i + 4]}
      local answer = redis.pcall(unpack(entry))
      if type(answer) == 'table' then
        -- Only the first one can fail, so nothing is done yet.
        if not string.find(answer.err, '^ERR ') then return answer end
        if not forget_higher_ids() then return {'STALE'} end
        redis.call(unpack(entry))
      end
      top = top + 1
      if client_id ~= '' then
        known[client_id] = id
        added[#added + 1] = client_id
        added[#added + 1] = id
      end
      result = top
    end
  end
  if seq ~= 0 then before = seq end
  results[#results + 1] = result
end

-- Before trimming, which may reach into this very batch.
if #added > 0 then redis.call('HSET', KEYS[3], unpack(added)) end

local excess = top - floor + 1 - tonumber(ARGV[5])
if excess >= trim_min then
  local gone = math.min(excess, trim_max)
  local oldest = redis.call('XRANGE', KEYS[4], '-', '+', 'COUNT', gone + 1)
  local forgotten = {}
  for i = 1, gone do
    local client_id = oldest[i][2][10]
    if client_id ~= '' then forgotten[#forgotten + 1] = client_id end
  end
  if #forgotten > 0 then redis.call('HDEL', KEYS[3], unpack(forgotten)) end
  redis.call('XTRIM', KEYS[4], 'MINID', '=', oldest[gone + 1][1])
  floor = floor + gone
end

redis.call('HSET', KEYS[2], origin, digits(last))
redis.call('HSET', KEYS[1], 'top', digits(top), 'floor', digits(floor))
results[2], results[3] = top, floor
return results
