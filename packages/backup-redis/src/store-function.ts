import { createHash } from 'node:crypto';

/**
 * What runs inside the server, for one bucket a call: KEYS are the bucket's rows and markers, ARGV an operation and its
 * arguments. All checks come before the first write, since nothing is undone. A call that names another life than the
 * bucket's answers {0} and does nothing.
 *
 * The rows' hash has the bucket's life in field `g`: id, replication id, whether a restart keeps all that was
 * acknowledged. So a bucket can't lose its rows and keep its life. Every other field is a unit of 8 bytes.
 *
 * `INFO replication` is asked in each call: the replication id changes with each restart and each failover, also when a
 * connection outlives them.
 */
const operations = String.raw`
local headerFormat, header = '<I8xI8', 20
local batch = 500

local function history()
  local info = redis.call('INFO', 'replication')
  return string.match(info, 'master_replid:(%x+)') or '-', string.match(info, 'master_replid2:(%x+)') or '0'
end

local function lifeOf(rows)
  local stored = redis.call('HGET', rows, 'g')
  if not stored then return nil end
  return string.match(stored, '^(%S+) (%S+) (%d)$')
end

-- Whether the bucket lives the life that the call names, as id and replication id.
local function alive(rows, life)
  local id, replid = lifeOf(rows)
  return id and id .. ' ' .. replid == life and replid == history()
end

local function hex(unit)
  return (string.gsub(unit, '.', function(c) return string.format('%02x', string.byte(c)) end))
end

-- Epoch and seq of a stored value; nil when nothing is stored.
local function order(value, unit)
  if not value then return nil end
  if #value < header or string.sub(value, 1, 1) ~= '\8' then
    error({err = 'CORRUPT the stored row of unit ' .. hex(unit) .. ' is damaged'})
  end
  if string.sub(value, 2, 3) ~= '\1\17' or string.byte(value, 12) ~= 25 then
    error({err = 'CORRUPT the stored row of unit ' .. hex(unit) .. ' has another schema than 1'})
  end
  return struct.unpack(headerFormat, value, 4)
end

-- What is stored of each unit, by unit.
local function stored(rows, units)
  local found = {}
  for first = 1, #units, batch do
    local last = math.min(first + batch - 1, #units)
    local values = redis.call('HMGET', rows, unpack(units, first, last))
    for i = first, last do found[units[i]] = values[i - first + 1] end
  end
  return found
end

local function write(key, pairs)
  for first = 1, #pairs, 2 * batch do
    redis.call('HSET', key, unpack(pairs, first, math.min(first + 2 * batch - 1, #pairs)))
  end
end

local operations = {}

-- The bucket's life now. A bucket without one begins a life with the id given; so does one whose server has another
-- history, unless that was a restart which kept everything, as far as both sides of it are known to.
operations.life = function(keys, args)
  local rows, markers = keys[1], keys[2]
  local newId, keeps = args[2], args[3]
  local id, replid, kept = lifeOf(rows)
  local now, before = history()
  if id and replid == now then
    if kept == '1' and keeps == '0' then redis.call('HSET', rows, 'g', id .. ' ' .. now .. ' 0') end
    return id .. ' ' .. now
  end
  if not (id and kept == '1' and keeps == '1' and string.match(before, '^0+$')) then
    -- Markers vouch for rows: they don't outlive them.
    if not id then redis.call('DEL', markers) end
    id = newId
  end
  redis.call('HSET', rows, 'g', id .. ' ' .. now .. ' ' .. keeps)
  return id .. ' ' .. now
end

-- Writes the life anew, so that a connection that then waits for the disk waits for all that came before.
operations.touch = function(keys, args)
  if not alive(keys[1], args[2]) then return {0} end
  redis.call('HSET', keys[1], 'g', redis.call('HGET', keys[1], 'g'))
  return {1}
end

-- Rows as (unit, length u32, value) one behind the other. Per row: 0 accepted, -1 stale, else the epoch that fences it.
operations.backup = function(keys, args)
  local rows, blob = keys[1], args[3]
  if not alive(rows, args[2]) then return {0} end
  local units, values, at = {}, {}, 1
  while at <= #blob do
    local length = struct.unpack('<I4', blob, at + 8)
    units[#units + 1] = string.sub(blob, at, at + 7)
    values[#values + 1] = string.sub(blob, at + 12, at + 11 + length)
    at = at + 12 + length
  end
  local found, answer, writes = stored(rows, units), {1}, {}
  for i = 1, #units do
    local unit, value = units[i], values[i]
    local epoch, seq = order(value, unit)
    local storedEpoch, storedSeq = order(found[unit], unit)
    answer[i + 1] = 0
    if storedEpoch and storedEpoch > epoch then
      answer[i + 1] = storedEpoch
    elseif storedEpoch and storedEpoch == epoch and storedSeq > seq then
      answer[i + 1] = -1
    elseif not (storedEpoch and storedEpoch == epoch and storedSeq == seq) then
      found[unit] = value
      writes[#writes + 1] = unit
      writes[#writes + 1] = value
    end
  end
  write(rows, writes)
  return answer
end

-- Claims as (unit, epoch) of 16 bytes. Answers the markers, then per claim its row, or the epoch that fences it.
operations.claim = function(keys, args)
  local rows, blob = keys[1], args[3]
  if not alive(rows, args[2]) then return {0} end
  local units, epochs = {}, {}
  for at = 1, #blob, 16 do
    units[#units + 1] = string.sub(blob, at, at + 7)
    epochs[#epochs + 1] = string.sub(blob, at + 8, at + 15)
  end
  local found, answer, writes = stored(rows, units), {1, false}, {}
  for i = 1, #units do
    local unit = units[i]
    local epoch = struct.unpack('<I8', epochs[i])
    local storedEpoch, storedSeq = order(found[unit], unit)
    if storedEpoch and (storedEpoch > epoch or storedEpoch == epoch and storedSeq > 0) then
      answer[i + 2] = storedEpoch
    else
      if storedEpoch ~= epoch then
        local rest = storedEpoch and string.sub(found[unit], header + 1) or ''
        found[unit] = '\8\1\17' .. epochs[i] .. '\25\0\0\0\0\0\0\0\0' .. rest
        writes[#writes + 1] = unit
        writes[#writes + 1] = found[unit]
      end
      answer[i + 2] = found[unit]
    end
  end
  write(rows, writes)
  answer[2] = redis.call('HGETALL', keys[2])
  return answer
end

-- Partition and offset, alternating.
operations.mark = function(keys, args)
  if not alive(keys[1], args[2]) then return {0} end
  for i = 3, #args, 2 do
    local old = redis.call('HGET', keys[2], args[i])
    if not old or tonumber(old) < tonumber(args[i + 1]) then redis.call('HSET', keys[2], args[i], args[i + 1]) end
  end
  return {1}
end

operations.marker = function(keys, args)
  if not alive(keys[1], args[2]) then return {0} end
  return {1, redis.call('HGET', keys[2], args[3]) or '0'}
end

-- The highest epoch of the bucket.
operations.epoch = function(keys)
  local highest, cursor = 0, '0'
  repeat
    local page = redis.call('HSCAN', keys[1], cursor, 'COUNT', batch)
    cursor = page[1]
    for i = 1, #page[2], 2 do
      if #page[2][i] == 8 then highest = math.max(highest, (order(page[2][i + 1], page[2][i]))) end
    end
  until cursor == '0'
  return highest
end

local function run(keys, args)
  local ok, answer = pcall(operations[args[1]], keys, args)
  if ok then return answer end
  if type(answer) == 'table' then return answer end
  return redis.error_reply('ERR ' .. tostring(answer))
end
`;

/** By its contents, so that nodes of several versions share a server. */
const version = createHash('sha256').update(operations).digest('hex').slice(0, 12);

/** Name of the function and of its library. */
export const functionName = `holdfast_${version}`;

/** For FUNCTION LOAD. */
export const librarySource = `#!lua name=${functionName}\n${operations}\nredis.register_function('${functionName}', run)\n`;

/** The same for SCRIPT LOAD, where there are no functions. The first line has out-of-memory be checked before the run. */
export const scriptSource = `#!lua\n${operations}\nreturn run(KEYS, ARGV)\n`;

export const scriptSha = createHash('sha1').update(scriptSource).digest('hex');
