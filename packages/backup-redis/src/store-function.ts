import { createHash } from 'node:crypto';

/**
 * What runs inside the server. KEYS are the rows and the markers of one bucket, or of several where no Cluster forbids it;
 * ARGV are an operation and, per bucket, the life that the caller knows and the request. All checks come before the first
 * write, since nothing is undone. When one of the buckets lives another life the answer is {0}, and nothing was done; else
 * it is 1, and an answer per bucket.
 *
 * The rows' hash has the bucket's life in field `g`: id, replication id, whether and how a restart keeps all that was
 * acknowledged. So a bucket can't lose its rows and keep its life. Field `a` is the generation that the store was adopted
 * as, and the one that it continued then (`-`: none). Every other field is a unit of 8 bytes.
 *
 * `INFO replication` is asked in each call: the replication id changes with each restart and each failover, also when a
 * connection outlives them.
 */
const operations = String.raw`
local headerFormat, header = '<I8xI8', 20
local batch = 500
-- What is counted here is whole, and exact as a number, here and in JavaScript.
local exactMax = 9007199254740991

local function history()
  local info = redis.call('INFO', 'replication')
  return string.match(info, 'master_replid:(%x+)') or '-', string.match(info, 'master_replid2:(%x+)') or '0', info
end

-- Whether other servers may have copies: there are replicas, or were, for the backlog outlives them by an hour.
local function isCopied(info)
  local alone = string.find(info, 'connected_slaves:0', 1, true) and string.find(info, 'repl_backlog_active:0', 1, true)
  return not alone
end

local function lifeOf(rows)
  local stored = redis.call('HGET', rows, 'g')
  if not stored then return nil end
  return string.match(stored, '^(%S+) (%S+) (%d)$')
end

-- Whether the bucket lives the life that the call names, as field g has it.
local function alive(rows, life, now)
  local id, replid, kept = lifeOf(rows)
  return id and id .. ' ' .. replid .. ' ' .. kept == life and replid == now
end

local function hex(unit)
  return (string.gsub(unit, '.', function(c) return string.format('%02x', string.byte(c)) end))
end

-- Epoch and seq of a stored value, and what is wrong with it: it has neither then, and as little when nothing is stored.
local function order(value, unit)
  if not value then return nil end
  local is, epoch, seq
  if #value < header or string.sub(value, 1, 1) ~= '\8' then is = 'is damaged'
  elseif string.sub(value, 2, 3) ~= '\1\17' or string.byte(value, 12) ~= 25 then is = 'has another schema than 1'
  else
    epoch, seq = struct.unpack(headerFormat, value, 4)
    if epoch < 0 or epoch > exactMax or seq < 0 or seq > exactMax then is = 'is damaged' end
  end
  if is then return nil, nil, 'the stored row of unit ' .. hex(unit) .. ' ' .. is end
  return epoch, seq
end

local function offsetOf(marker, partition)
  local offset = string.match(marker, '^%d+$') and tonumber(marker)
  if not offset or offset > exactMax then error({err = 'CORRUPT the stored marker of ' .. partition .. ' is damaged'}) end
  return offset
end

local function holdsUnit(rows)
  local cursor = '0'
  repeat
    local page = redis.call('HSCAN', rows, cursor, 'COUNT', 10)
    cursor = page[1]
    for at = 1, #page[2], 2 do
      if #page[2][at] == 8 then return true end
    end
  until cursor == '0'
  return false
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

-- Plans every bucket's request, then writes. A plan answers, and gives what is to be written where.
local function inBuckets(keys, args, plan)
  local now = history()
  local answers, writes = {1}, {}
  for i = 1, #keys, 2 do
    if not alive(keys[i], args[i + 1], now) then return {0} end
  end
  for i = 1, #keys, 2 do
    answers[#answers + 1], writes[i] = plan(keys[i], keys[i + 1], args[i + 2])
  end
  for i = 1, #keys, 2 do
    write(keys[i], writes[i].rows or {})
    write(keys[i + 1], writes[i].markers or {})
  end
  return answers
end

local operations, plans = {}, {}

-- The lives of buckets now. A bucket without one begins a life with the id given; so does one whose server has another
-- history, unless that was a restart which kept everything, as far as both sides of it are known to. Where there are
-- replicas no restart is known to: one of them, started as a master, looks the same, and may lack what was acknowledged.
-- A life that a restart keeps ends once one would not keep it any more: somewhere, in a replica's copy or in a file that
-- is no longer written to, it is as it was, and would go on there without what came since.
-- The second argument says whether a restart keeps everything (0: it doesn't, 1: it is on disk before the answer, 2: the
-- caller waits for the disk), the third the replication id under which that was so, or - where that doesn't matter.
operations.life = function(keys, args)
  local now, before, info = history()
  if args[3] ~= '-' and args[3] ~= now then return {0} end
  local copied = isCopied(info)
  local keeps = copied and '0' or args[2]
  local answers = {}
  for i = 1, #keys, 2 do
    local rows, markers, newId = keys[i], keys[i + 1], args[3 + (i + 1) / 2]
    local id, replid, kept = lifeOf(rows)
    local goesOn = id and (replid == now or kept ~= '0' and keeps ~= '0' and string.match(before, '^0+$'))
    if id and kept ~= '0' and keeps == '0' then goesOn = false end
    -- Markers vouch for rows: they don't outlive them, nor do rows lose them where the life alone can't be read.
    if not id and not holdsUnit(rows) then redis.call('DEL', markers) end
    if not goesOn then id = newId end
    -- What was not kept once counts as not kept until another life or history begins.
    local keepsNow = (goesOn and kept == '0') and '0' or keeps
    if not goesOn or replid ~= now or kept ~= keepsNow then
      redis.call('HSET', rows, 'g', id .. ' ' .. now .. ' ' .. keepsNow)
    end
    answers[#answers + 1] = id .. ' ' .. now .. ' ' .. keepsNow
  end
  return answers
end

-- Writes lives anew, so that a connection that then waits for the disk waits for all that came before.
plans.touch = function(rows)
  return 1, {rows = {'g', redis.call('HGET', rows, 'g')}}
end

-- Rows as (unit, length u32, value) one behind the other. Per row: 0 accepted, -1 stale, the epoch that fences it, or what
-- is wrong with what is stored, which stays then.
plans.backup = function(rows, markers, request)
  local units, values, at = {}, {}, 1
  while at <= #request do
    local length = struct.unpack('<I4', request, at + 8)
    units[#units + 1] = string.sub(request, at, at + 7)
    values[#values + 1] = string.sub(request, at + 12, at + 11 + length)
    at = at + 12 + length
  end
  local found, answer, writes = stored(rows, units), {}, {}
  for i = 1, #units do
    local unit, value = units[i], values[i]
    local epoch, seq = order(value, unit)
    local storedEpoch, storedSeq, problem = order(found[unit], unit)
    answer[i] = 0
    if problem then
      answer[i] = {problem}
    elseif storedEpoch and storedEpoch > epoch then
      answer[i] = storedEpoch
    elseif storedEpoch and storedEpoch == epoch and storedSeq > seq then
      answer[i] = -1
    elseif not (storedEpoch and storedEpoch == epoch and storedSeq == seq) then
      found[unit] = value
      writes[#writes + 1] = unit
      writes[#writes + 1] = value
    end
  end
  return answer, {rows = writes}
end

-- Claims as (unit, epoch) of 16 bytes. Answers the markers, then per claim its row, the epoch that fences it, or what is
-- wrong with its row.
plans.claim = function(rows, markers, request)
  local units, epochs = {}, {}
  for at = 1, #request, 16 do
    units[#units + 1] = string.sub(request, at, at + 7)
    epochs[#epochs + 1] = string.sub(request, at + 8, at + 15)
  end
  local found, answer, writes = stored(rows, units), {redis.call('HGETALL', markers)}, {}
  for i = 1, #units do
    local unit = units[i]
    local epoch = struct.unpack('<I8', epochs[i])
    local storedEpoch, storedSeq, problem = order(found[unit], unit)
    if problem then
      answer[i + 1] = {problem}
    elseif storedEpoch and (storedEpoch > epoch or storedEpoch == epoch and storedSeq > 0) then
      answer[i + 1] = storedEpoch
    else
      if storedEpoch ~= epoch then
        local rest = storedEpoch and string.sub(found[unit], header + 1) or ''
        found[unit] = '\8\1\17' .. epochs[i] .. '\25\0\0\0\0\0\0\0\0' .. rest
        writes[#writes + 1] = unit
        writes[#writes + 1] = found[unit]
      end
      answer[i + 1] = found[unit]
    end
  end
  return answer, {rows = writes}
end

-- Partitions and offsets, each with a u32 for its length before it.
plans.mark = function(rows, markers, request)
  local at, raised, writes = 1, {}, {}
  while at <= #request do
    local partition, offset
    partition, offset, at = struct.unpack('<I4c0I4c0', request, at)
    local old = raised[partition] or redis.call('HGET', markers, partition)
    if not old or offsetOf(old, partition) < tonumber(offset) then
      raised[partition] = offset
      writes[#writes + 1] = partition
      writes[#writes + 1] = offset
    end
  end
  return 1, {markers = writes}
end

-- The generation to note, and the one before. Answers whether the bucket continues that one.
plans.adopt = function(rows, markers, request)
  local id, current = string.match(request, '^(%S+) (%S+)$')
  local noted = redis.call('HGET', rows, 'a')
  local continues = id == current
  if noted then
    local notedId, notedFrom = string.match(noted, '^(%S+) (%S+)$')
    continues = continues or notedFrom == current
    if notedId == id or id == current then return continues and 1 or 0, {} end
    continues = continues or notedId == current
  elseif not continues then
    -- Of before there were notes, if anything is in it.
    continues = not holdsUnit(rows) and #redis.call('HGETALL', markers) == 0
  end
  return continues and 1 or 0, {rows = {'a', id .. ' ' .. (continues and current or '-')}}
end

plans.marker = function(rows, markers, request)
  return redis.call('HGET', markers, request) or '0', {}
end

-- The highest epoch of the buckets. Not without a row that can't be read: it may have it.
operations.epoch = function(keys)
  local highest = 0
  for i = 1, #keys, 2 do
    local cursor = '0'
    repeat
      local page = redis.call('HSCAN', keys[i], cursor, 'COUNT', batch)
      cursor = page[1]
      for at = 1, #page[2], 2 do
        if #page[2][at] == 8 then
          local epoch, _, problem = order(page[2][at + 1], page[2][at])
          if problem then error({err = 'CORRUPT ' .. problem}) end
          highest = math.max(highest, epoch)
        end
      end
    until cursor == '0'
  end
  return highest
end

local function run(keys, args)
  local operation, plan = operations[args[1]], plans[args[1]]
  local ok, answer
  if plan then ok, answer = pcall(inBuckets, keys, args, plan) else ok, answer = pcall(operation, keys, args) end
  if ok then return answer end
  -- Some versions give what was thrown as a table, some its text alone.
  local text = type(answer) == 'table' and answer.err or tostring(answer)
  return redis.error_reply(string.find(text, '^%u+ ') and text or 'ERR ' .. text)
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
