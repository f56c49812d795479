-- Release the Dask cluster; results are kept.
obj.spec.suspend = true
return obj
