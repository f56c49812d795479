-- Health of a WorkPlan for Argo CD; argocd-cm.yaml installs it.
--
-- Flux needs no such script: it evaluates WorkPlans by kstatus (wait: true, or healthChecks).
local health = {status = "Progressing", message = "Waiting for the operator"}

if obj.status == nil or obj.status.conditions == nil then
  return health
end
-- Conditions that refer to an older spec are ignored.
if obj.status.observedGeneration ~= obj.metadata.generation then
  health.message = "Waiting for the operator to see the latest change"
  return health
end

-- An end of the run before is not one of the run that is asked for.
local retry = string.sub((obj.metadata.annotations or {})["voxk8s.io/retry"] or "", 1, 256)
if obj.status.completionTime ~= nil and retry ~= "" and retry ~= obj.status.retry then
  health.message = "Waiting for the operator to run it again"
  return health
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end

local stalled, succeeded = conditions["Stalled"], conditions["Succeeded"]
if stalled ~= nil and stalled.status == "True" then
  health.status = "Degraded"
  health.message = stalled.reason .. ": " .. stalled.message
elseif succeeded ~= nil and succeeded.status == "True" then
  health.status = "Healthy"
  health.message = succeeded.message
elseif succeeded ~= nil and succeeded.status == "False" then
  health.status = "Degraded"
  health.message = succeeded.reason .. ": " .. succeeded.message
elseif obj.spec.suspend then
  health.status = "Suspended"
  health.message = "Suspended; results are kept"
elseif conditions["Reconciling"] ~= nil then
  health.message = conditions["Reconciling"].message
end
return health
