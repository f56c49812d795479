"""One module a command: `run(arguments)` returns the exit status. Imported when it is called."""
