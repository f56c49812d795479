-- Actions that Argo CD offers for a WorkPlan.
local finished = obj.status ~= nil and obj.status.completionTime ~= nil
local suspended = obj.spec.suspend == true

return {
  suspend = {iconClass = "fa fa-fw fa-pause", disabled = finished or suspended},
  resume = {iconClass = "fa fa-fw fa-play", disabled = finished or not suspended},
  retry = {iconClass = "fa fa-fw fa-redo", disabled = not finished}
}
