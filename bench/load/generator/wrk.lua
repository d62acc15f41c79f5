-- Arguments: a file with one path a line, the milliseconds that a connection waits between two requests, the method, and
-- the body if there is one.
-- The one thread asks for them in turn and prints the result as one line of JSON.
local requests, at, pauseMs = {}, 0, 0

function init(args)
  local method, body = args[3], args[4]
  pauseMs = tonumber(args[2])
  for path in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format(method, path, wrk.headers, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function delay()
  return pauseMs
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50Ms":%.3f,"p95Ms":%.3f,"p99Ms":%.3f,"failures":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(95) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
