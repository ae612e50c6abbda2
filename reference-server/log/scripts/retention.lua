-- Part of the scripts that add and remove entries (`-- include retention`), none by itself.
--
-- What the log holds is counted in meta: `bytes` of the entries from the one with the id `counted` on. A count that was
-- lost, or is in doubt, begins anew at the stream's end and takes in older entries with each append, so that no call
-- runs long.

-- What Redis needs for an entry in the stream and its field in `req`, beside room, text and twice the client message id.
local entry_overhead = 128
-- Entries are trimmed together, so that the cost of looking up what goes is shared; at most so many in one call.
local trim_min, trim_max, trim_step = 128, 1024, 32
-- The newest ones stay, whatever they take.
local kept_min = 128
local recount_max = 64

-- What is older than the floor goes, except the newest of them.
local origins_kept, epochs_kept = 32, 32

local function index_of(id) return tonumber(string.match(id, '-(%d+)$')) end
-- Lua prints numbers with 14 digits unless told otherwise.
local function digits(number) return string.format('%.0f', number) end

local function cost(room, client_id, text) return entry_overhead + #room + 2 * #client_id + #text end
local function cost_of(fields) return cost(fields[8] or '', fields[10] or '', fields[12] or '') end

-- {bytes, id, index}, the latter two of the oldest entry that is counted; without them when the count is lost.
local function count_of(bytes, id)
  local index = id and index_of(id)
  if not index or not tonumber(bytes) then return {bytes = 0} end
  return {bytes = tonumber(bytes), id = id, index = index}
end

local function store_count(meta, count)
  if count.id then
    redis.call('HSET', meta, 'bytes', digits(count.bytes), 'counted', count.id)
  else
    redis.call('HDEL', meta, 'bytes', 'counted')
  end
end

-- Removes the oldest entries and their client message ids: up to index `upto`, and further until `excess` bytes are gone
-- or the newest kept_min are left. Returns the floor, and how many entries and bytes went.
local function trim(log, req, count, floor, top, upto, excess)
  local gone, bytes, counted_bytes, forgotten = 0, 0, 0, {}
  local from, first, is_whole, expected = '-', nil, true, floor
  repeat
    local oldest = redis.call('XRANGE', log, from, '+', 'COUNT', trim_step)
    for i = 1, #oldest do
      local id, fields = oldest[i][1], oldest[i][2]
      local index = index_of(id)
      is_whole = is_whole and index == expected
      expected = index + 1
      local goes = index <= upto or (bytes < excess and index <= top - kept_min)
      if not goes or gone == trim_max then
        first = id
        break
      end
      local size = cost_of(fields)
      gone, bytes, from = gone + 1, bytes + size, '(' .. id
      if count.id and index >= count.index then counted_bytes = counted_bytes + size end
      if fields[10] and fields[10] ~= '' then forgotten[#forgotten + 1] = fields[10] end
    end
  until first or #oldest < trim_step
  if not first then return floor, 0, 0 end
  if #forgotten > 0 then redis.call('HDEL', req, unpack(forgotten)) end
  -- By count: MINID stops at the mark of a higher id that was added by hand and removed.
  if gone > 0 then redis.call('XTRIM', log, 'MAXLEN', '=', redis.call('XLEN', log) - gone) end
  floor, count.bytes = index_of(first), count.bytes - counted_bytes
  if not is_whole then
    -- Somebody removed entries by hand.
    count.bytes, count.id, count.index = 0, nil, nil
  elseif count.id and count.index < floor then
    count.id, count.index = first, floor
  end
  return floor, gone, bytes
end

-- When Redis is out of memory: an error reply; else nil. Writes nothing. A script that has removed something may then
-- add all the same.
local function out_of_memory(key, field)
  local answer = redis.pcall('HSETNX', key, field, '')
  if type(answer) == 'table' then return answer end
  return nil
end

-- Forgets epochs that ended before the entry below the floor: a cursor there is too old anyway.
local function forget_epochs(epochs, floor)
  if redis.call('HLEN', epochs) <= epochs_kept + 1 then return end
  local all, chain = redis.call('HGETALL', epochs), {}
  for i = 1, #all, 2 do
    local first = tonumber(all[i + 1])
    if all[i] ~= '0' and first then chain[#chain + 1] = {epoch = all[i], first = first} end
  end
  table.sort(chain, function(a, b) return a.first < b.first or (a.first == b.first and a.epoch < b.epoch) end)
  for i = 1, #chain - epochs_kept do
    if chain[i + 1].first >= floor then return end
    redis.call('HDEL', epochs, chain[i].epoch)
  end
end
