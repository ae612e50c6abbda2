-- Part of the scripts that say it first when a key is of another type (`-- include types`), none by itself.

local function wrong_type(key)
  return redis.error_reply('WRONGTYPE the key ' .. key .. ' is of another type than the log needs: remove it (DEL), ' ..
                           'and the nodes make it again')
end

-- An error that names the first key that is of another type than a hash, or the stream; nil: none is.
local function other_type(hashes, stream)
  for _, key in ipairs(hashes) do
    local answer = redis.pcall('HGET', key, '')
    if type(answer) == 'table' and string.find(answer.err, '^WRONGTYPE') then return wrong_type(key) end
  end
  -- COUNT 0: the type alone.
  local answer = redis.pcall('XRANGE', stream, '-', '+', 'COUNT', 0)
  if answer and answer.err and string.find(answer.err, '^WRONGTYPE') then return wrong_type(stream) end
  return nil
end
