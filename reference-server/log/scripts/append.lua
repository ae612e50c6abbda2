-- Appends entries of one origin, up to the first gap (docs/log-protocol.md).
-- KEYS: meta seq req log epochs heard beats.
-- ARGV: log id, epoch, incarnation, origin, retained entries, retained bytes, after seq, beat ('': none), after id,
--       then for each entry: kind, seq, room, client message id, text.
--
-- Returns {'STALE'} when the node must attach again: the log is not open in this epoch and incarnation, the server that
-- runs this is of another incarnation, a key is missing, or the stream refuses the next id. Else
-- {'OK', top, floor, bytes, early, result...}: what the log holds, how many entries were trimmed because Redis is out of
-- memory, and a result for each entry:
--   index           appended there
--   'DUP id'        this seq was used before, and the message is at id; '' when it is not there: trimmed, or somebody
--                   has set the seq too high. Nothing new is appended behind one of these in the same call
--   'DUPCLIENT id'  another entry has this client message id: the seq is used up, nothing is added
--   'CONFLICT'      that client message id belongs to another message (other room or text): as DUPCLIENT
--   'GAP seq'       the message before it in its origin's order is not in the log, as far as can be seen; seq: the last
--                   one known; no result follows
--
-- An error that names the key when one is of another type, whatever is to be appended.
--
-- `after seq` is the one that must be known before the first entry, each entry's the one before it; 0: nothing matters.
-- Seqs need not be dense. Entries with seq 0 have no place in the origin's sequence and may be repeated. `after id`, if
-- it is not '', is the client message id of that one, and nothing is appended unless it is there, from this origin: a
-- call that was sent before the one before it was answered must not rely on a seq that somebody has set too high. (With
-- another's entry of this id nothing would be known of those before it.)
--
-- A beat goes into a stream of its own, before the entries, with the top that it was written at: it takes no index, and
-- makes nothing go. Its number is counted in meta, so that who waits behind the newest one hears the next, whatever
-- happens to that stream.
--
-- A client message id lives in `req` as long as its entry lives in the stream: within the retention, a message that is
-- sent again, through whatever node and in whatever order, is recognised; beyond it, it is a new message.
--
-- `heard` has the top as it was when an origin last said something. An origin whose last word is older than every entry
-- that is kept may be forgotten; of those the newest stay all the same.
--
-- When Redis is out of memory the oldest entries make room, twice what comes and some more, so that the log shrinks until
-- the memory suffices; an error when the newest are all that is left.
-- include retention
-- include types
local entry_fields = 5
-- Kept of the newest beats: more than nodes write while a reader is away for a moment.
local beats_max = 256
local first = 10
-- Beyond twice what comes; and the most that the log may grow past its limit before it is trimmed.
local trim_bytes_more, excess_max = 512 * 1024, 256 * 1024

local wrong = other_type({KEYS[1], KEYS[2], KEYS[3], KEYS[5]}, KEYS[4])
if wrong then return wrong end
local meta = redis.call('HMGET', KEYS[1], 'log_id', 'epoch', 'state', 'incarnation', 'top', 'floor', 'bytes', 'counted',
                        'beats')
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[2] or meta[3] ~= 'open' or meta[4] ~= ARGV[3]
    or redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4], KEYS[5]) ~= 4
    or not string.find(redis.call('INFO', 'replication'), 'master_replid:' .. ARGV[3], 1, true) then
  return {'STALE'}
end
local epoch, origin = ARGV[2], ARGV[4]
local top, floor = tonumber(meta[5]), tonumber(meta[6])

if not top or not floor or top > 2 ^ 53 then return {'STALE'} end

local count = count_of(meta[7], meta[8])
if not count.id or count.index > top then
  count = {bytes = 0, id = epoch .. '-' .. digits(top + 1), index = top + 1}
end
if count.index > floor then
  local older = redis.call('XREVRANGE', KEYS[4], '(' .. count.id, '-', 'COUNT', recount_max)
  for i = 1, #older do
    count.bytes, count.id = count.bytes + cost_of(older[i][2]), older[i][1]
  end
  count.index = index_of(count.id)
  if #older < recount_max then floor = count.index end
end

local coming = 0
for i = first, #ARGV, entry_fields do
  coming = coming + cost(ARGV[i + 2], ARGV[i + 3], ARGV[i + 4])
end
local early = 0
local full = out_of_memory(KEYS[1], 'log_id')
-- A beat alone takes no room from messages; that there is none left to take is said all the same.
if full and coming == 0 and top - floor + 1 > kept_min then
  full = nil
  redis.call('HDEL', KEYS[1], '')  -- whatever comes behind a removal may be added
end
if full then
  if not string.find(full.err, '^OOM') then return full end
  local bytes
  floor, early, bytes = trim(KEYS[4], KEYS[3], count, floor, top, 0, 2 * coming + trim_bytes_more)
  if coming == 0 or bytes < coming then
    if early > 0 then
      redis.call('HSET', KEYS[1], 'floor', digits(floor))
      store_count(KEYS[1], count)
    end
    return full
  end
end

-- Whether the entry at `id` is the message whose arguments begin at `i`; nil when there is no such entry.
local function is_same(id, i)
  local found = redis.pcall('XRANGE', KEYS[4], id, id)[1]  -- nothing where somebody else wrote no id
  if not found then return nil end
  return found[2][8] == ARGV[i + 2] and found[2][12] == ARGV[i + 4]
end

local function beat(number)
  return redis.pcall('XADD', KEYS[7], 'MAXLEN', beats_max, epoch .. '-' .. digits(number),
                     'o', origin, 'i', digits(top), 't', ARGV[8])
end
if ARGV[8] ~= '' then
  local number = (tonumber(meta[9]) or 0) + 1
  if type(beat(number)) == 'table' then
    -- Somebody else wrote there.
    redis.call('UNLINK', KEYS[7])
    beat(number)
  end
  redis.call('HSET', KEYS[1], 'beats', digits(number))
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

local known_last = tonumber(redis.call('HGET', KEYS[2], origin) or '0')
local last = known_last
if not known_last then return {'STALE'} end
local before = tonumber(ARGV[7])
local results, added = {'OK', 0, 0, 0, early}, {}

-- A stream takes only higher ids than it ever had. One that was added by hand and removed again leaves nothing but that
-- mark: false unless that is all.
local function forget_higher_ids()
  local tail = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)[1]
  if not tail or tail[1] ~= epoch .. '-' .. digits(top) then return false end
  redis.call('XSETID', KEYS[4], tail[1])
  return true
end

local is_one_missing = false
if ARGV[9] ~= '' then
  local id = redis.call('HGET', KEYS[3], ARGV[9])
  local found = id and redis.pcall('XRANGE', KEYS[4], id, id)[1]
  is_one_missing = not found or found[2][4] ~= origin or found[2][6] ~= ARGV[7]
end
for i = first, #ARGV, entry_fields do
  local seq, client_id = tonumber(ARGV[i + 1]), ARGV[i + 3]
  local id = known[client_id]
  local same
  if id then same = is_same(id, i) end
  local result
  if seq ~= 0 and seq <= last then
    result = same == false and 'CONFLICT' or 'DUP ' .. (same and id or '')
    is_one_missing = is_one_missing or same == nil
  elseif seq ~= 0 and (before > last or is_one_missing) then
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
      count.bytes = count.bytes + cost(ARGV[i + 2], client_id, ARGV[i + 4])
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

local upto, excess = 0, 0
if top - floor + 1 - tonumber(ARGV[5]) >= trim_min then upto = top - tonumber(ARGV[5]) end
local retained_bytes = tonumber(ARGV[6])
if count.bytes - retained_bytes > math.min(retained_bytes / 16, excess_max) then
  excess = math.min(count.bytes - retained_bytes, 2 * coming + trim_bytes_more)
end
if upto > 0 or excess > 0 then
  floor = trim(KEYS[4], KEYS[3], count, floor, top, upto, excess)
end
if upto > 0 or excess > 0 or early > 0 then forget_epochs(KEYS[5], floor) end

-- Loss of `heard` is harmless: whoever is not in it is taken for heard of now.
local function heard_of()
  local all, heard = redis.pcall('HGETALL', KEYS[6]), {}
  if all.err then
    redis.call('UNLINK', KEYS[6])
    return heard
  end
  for i = 1, #all, 2 do heard[all[i]] = tonumber(all[i + 1]) or 0 end
  return heard
end

local function forget_origins()
  local all = redis.call('HGETALL', KEYS[2])
  local excess = #all / 2 - 1 - origins_kept
  if excess <= 0 then return end
  local heard, old = heard_of(), {}
  for i = 1, #all, 2 do
    local name, index = all[i], heard[all[i]]
    heard[name] = nil
    if name ~= '' and (not index or index > top) then
      redis.call('HSET', KEYS[6], name, digits(top))
    elseif name ~= '' and index < floor then
      old[#old + 1] = {name = name, index = index}
    end
  end
  for name in pairs(heard) do redis.call('HDEL', KEYS[6], name) end
  table.sort(old, function(a, b) return a.index < b.index or (a.index == b.index and a.name < b.name) end)
  for i = 1, math.min(#old, excess) do
    redis.call('HDEL', KEYS[2], old[i].name)
    redis.call('HDEL', KEYS[6], old[i].name)
  end
end

-- An origin that has sent nothing leaves no trace; who comes new pays for the look at the old ones.
if last > 0 then
  if last ~= known_last then redis.call('HSET', KEYS[2], origin, digits(last)) end
  if type(redis.pcall('HSET', KEYS[6], origin, digits(top))) == 'table' then redis.call('UNLINK', KEYS[6]) end
  if known_last == 0 then forget_origins() end
end
redis.call('HSET', KEYS[1], 'top', digits(top), 'floor', digits(floor))
store_count(KEYS[1], count)
results[2], results[3], results[4] = top, floor, count.bytes
return results
