-- Run a finished WorkPlan again. The time of its end is a value that each run has once.
if obj.status ~= nil and obj.status.completionTime ~= nil then
  if obj.metadata.annotations == nil then
    obj.metadata.annotations = {}
  end
  obj.metadata.annotations["voxk8s.io/retry"] = "after " .. obj.status.completionTime
end
return obj
