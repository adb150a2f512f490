-- The clients, as a script for wrk. Each thread has one connection and is one client, so what one
-- client knows (its session, its step within an order) can stand in the thread's globals.
--
-- The plan (a Lua file that run.py writes, the script's argument) says what is requested:
--   clients    how many there are
--   products   the ids to ask for, one after the other
--   steps      the requests that count as one, in order: method, path, body, headers
--   expect     what the body of the last response contains if all went well
--   session    the response header that holds the token of a session, if there is one
-- In path, body and headers, {product}, {number}, {client} and {session} are filled in.

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } peers_time;
  int clock_gettime(int clock, peers_time *time);
]]
local MONOTONIC = 1
local time = ffi.new("peers_time")

local function now_us()
  ffi.C.clock_gettime(MONOTONIC, time)
  return tonumber(time.seconds) * 1e6 + tonumber(time.nanoseconds) / 1e3
end

local threads = {}

function setup(thread)
  thread:set("client", #threads)
  table.insert(threads, thread)
end

function init(args)
  plan = dofile(args[1])
  number, step, token = 0, 1, ""
  latencies, failed, first_failure = {}, 0, ""
end

local function fill(text)
  local product = plan.products[(client + number * plan.clients) % #plan.products + 1]
  return (text:gsub("{(%l+)}", {
    product = product, number = number, client = client, session = token,
  }))
end

function request()
  if step == 1 then
    token = ""
    begun_us = now_us()
  end
  local this = plan.steps[step]
  local headers = {}
  for name, value in pairs(this.headers) do
    headers[name] = fill(value)
  end
  return wrk.format(this.method, fill(this.path), headers, this.body and fill(this.body))
end

local function remember_session(headers)
  for name, value in pairs(headers) do
    if name:lower() == plan.session then
      token = value
    end
  end
end

function response(status, headers, body)
  first_us = first_us or begun_us
  if plan.session then
    remember_session(headers)
  end
  local last = step == #plan.steps
  if status >= 300 or (last and not body:find(plan.expect, 1, true)) then
    failed = failed + 1
    if failed == 1 then
      first_failure = "step " .. step .. ": " .. status .. " " .. body:sub(1, 300)
    end
  elseif not last then
    step = step + 1
    return
  else
    last_us = now_us()
    table.insert(latencies, last_us - begun_us)
  end
  step = 1
  number = number + 1
end

-- Adds up the clients' rates, each from its first request to its last response: what was under way
-- when the time was over would be missing from a rate over the whole time.
function done(summary)
  local all, failures, rate, why = {}, 0, 0, ""
  for _, thread in ipairs(threads) do
    local times = thread:get("latencies")
    for _, latency in ipairs(times) do
      table.insert(all, latency)
    end
    if #times > 0 then
      rate = rate + #times * 1e6 / (thread:get("last_us") - thread:get("first_us"))
    end
    failures = failures + thread:get("failed")
    if why == "" then
      why = thread:get("first_failure")
    end
  end
  table.sort(all)
  local function percentile(percent)
    return all[math.max(1, math.ceil(#all * percent / 100))] or 0
  end
  local errors = summary.errors
  io.write(string.format(
    "\nRESULT %d %d %d %.3f %.0f %.0f %s\n",
    #all, failures, errors.connect + errors.read + errors.write + errors.timeout,
    rate, percentile(50), percentile(99), why:gsub("%s+", " ")
  ))
end
