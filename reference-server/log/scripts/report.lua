#!lua flags=allow-oom
-- What a node has read, for the round; and what is known of the round (docs/log-protocol.md).
-- KEYS: meta recovery.
-- ARGV: round, origin, report.
-- Returns {'STALE'} when the round is over, else {'OK', owner, progress, origin, report...}. A report counts until the
-- round has an owner: after that it could no longer be heeded.
local round = redis.call('HMGET', KEYS[2], 'round', 'owner', 'progress')
if round[1] ~= ARGV[1] or redis.call('HGET', KEYS[1], 'state') ~= 'recovering' then return {'STALE'} end
if round[2] == '' then redis.call('HSET', KEYS[2], 'report:' .. ARGV[2], ARGV[3]) end
local answer = {'OK', round[2], round[3]}
local all = redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  local origin = string.match(all[i], '^report:(.*)')
  if origin then
    answer[#answer + 1] = origin
    answer[#answer + 1] = all[i + 1]
  end
end
return answer
