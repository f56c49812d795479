"""The programs that Redis runs: each changes an object in one step, or not at all.

An object is a hash under its own key, with the fields `data`, `size` (bytes), `time` (microseconds
since 1970, by the server's clock), `tag` (unique to each writing) and `type`. The bytes of a large
object are in parts under keys of their own: then the hash has `parts` (their number) and `upload`
(which names them) instead of `data`. Parts expire until the hash refers to them, so that those of a
killed writer go; nothing else ever expires.
"""

from __future__ import annotations

from typing import Final

_COMMON: Final = """
local function now()
  local t = redis.call('TIME')
  return t[1] .. string.format('%06d', tonumber(t[2]))
end
local function drop(key, base)
  local old = redis.call('HMGET', key, 'upload', 'parts')
  redis.call('UNLINK', key)
  if old[1] then
    for n = 0, tonumber(old[2]) - 1 do redis.call('UNLINK', base .. old[1] .. ':' .. n) end
  end
end
"""

PUT: Final = (
    _COMMON
    + """
-- KEYS: the object. ARGV: base of the keys of parts, mode, expected tag, new tag, type, size,
-- number of parts (0: the bytes follow), upload or bytes.
local key, base, mode, tag = KEYS[1], ARGV[1], ARGV[2], ARGV[4]
local held = redis.call('HGET', key, 'tag')
if held == tag then return redis.call('HGET', key, 'time') end -- sent twice by the client
if mode == 'create' and held then return false end
if mode == 'update' and held ~= ARGV[3] then return false end
local parts = tonumber(ARGV[7])
for n = 0, parts - 1 do
  if redis.call('PERSIST', base .. ARGV[8] .. ':' .. n) == 0 then
    return redis.error_reply('LOST a part of the object has expired or was evicted')
  end
end
drop(key, base)
local time = now()
redis.call('HSET', key, 'tag', tag, 'type', ARGV[5], 'size', ARGV[6], 'time', time)
if parts > 0 then
  redis.call('HSET', key, 'parts', ARGV[7], 'upload', ARGV[8])
else
  redis.call('HSET', key, 'data', ARGV[8])
end
return time
"""
)
"""Writes an object; returns its time, or nothing if the condition does not hold."""

TOUCH: Final = (
    _COMMON
    + """
-- KEYS: the object. ARGV: expected tag.
if redis.call('HGET', KEYS[1], 'tag') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'time', now())
return 1
"""
)
"""Sets an object's time to now, unless it has changed."""

DELETE: Final = (
    _COMMON
    + """
-- KEYS: the object. ARGV: base of the keys of parts, expected tag or nothing.
local held = redis.call('HGET', KEYS[1], 'tag')
if not held or (ARGV[2] ~= '' and held ~= ARGV[2]) then return 0 end
drop(KEYS[1], ARGV[1])
return 1
"""
)
"""Deletes an object with its parts; returns whether it did."""
