-- Continue from the results that are in the store.
obj.spec.suspend = false
return obj
