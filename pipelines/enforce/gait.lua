-- HAProxy asks Gait before each call, with its own HTTP client (`core.httpclient`, HAProxy 2.5 and later).
-- Sets txn.gait_status (200: pass), txn.gait_decision, txn.gait_challenge and txn.gait_retry_after.
local address = os.getenv("GAIT_ADDRESS") or "http://127.0.0.1:4420"
local key = os.getenv("GAIT_KEY") or ""
local timeout_ms = 1000

local function first(headers, name)
  local values = headers and headers[name]
  return values and values[0] or ""
end

core.register_action("gait_ask", { "http-req" }, function(txn)
  local sent = txn.http:req_get_headers()
  local asked = {
    ["host"] = { "localhost" },
    ["x-gait-key"] = { key },
    -- The caller's own word about its address goes no further.
    ["x-forwarded-for"] = { txn.f:src() },
    ["x-original-uri"] = { txn.f:path() },
  }
  for _, name in ipairs({ "authorization", "cookie", "x-api-key" }) do
    if sent[name] then asked[name] = { first(sent, name) } end
  end
  local client = core.httpclient()
  local answer = client:get({ url = address .. "/authz", headers = asked, timeout = timeout_ms })
  -- Gait is away: fail open. Set 503 here to fail closed.
  if not answer or answer.status == 0 then txn:set_var("txn.gait_status", 200) return end
  txn:set_var("txn.gait_status", answer.status)
  txn:set_var("txn.gait_decision", first(answer.headers, "x-gait-decision"))
  txn:set_var("txn.gait_subject", first(answer.headers, "x-gait-subject"))
  txn:set_var("txn.gait_challenge", first(answer.headers, "www-authenticate"))
  txn:set_var("txn.gait_retry_after", first(answer.headers, "retry-after"))
end)
