-- Posts the bodies of a folder in turn, and counts the answers that are none of the right ones.
-- wrk -s load.lua URL -- FOLDER PATH: body-N is a request, right-N its answer, from N = 0.
-- Without any right-N every answer of status 200 will do.
local threads = {}

local function read(name)
   local file = io.open(name, "rb")
   if not file then return nil end
   local content = file:read("*a")
   file:close()
   return content
end

function setup(thread)
   table.insert(threads, thread)
end

function init(args)
   local folder, path = args[1], args[2]
   requests, right, turn, wrong = {}, {}, 0, 0
   local headers = { ["Content-Type"] = "application/json" }
   local body = read(folder .. "/body-0")
   while body do
      local expected = read(folder .. "/right-" .. #requests)
      if expected then right[expected] = true end
      requests[#requests + 1] = wrk.format("POST", path, headers, body)
      body = read(folder .. "/body-" .. #requests)
   end
   if next(right) == nil then response = nil end
end

function request()
   turn = turn % #requests + 1
   return requests[turn]
end

function response(status, headers, body)
   if status == 200 and not right[body] then wrong = wrong + 1 end
end

function done(summary, latency, requests)
   local wrong = 0
   for _, thread in ipairs(threads) do wrong = wrong + thread:get("wrong") end
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "status": %d, "wrong": %d, "lost": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
      latency:percentile(99) / 1e3, errors.status, wrong,
      errors.connect + errors.read + errors.write + errors.timeout))
end
