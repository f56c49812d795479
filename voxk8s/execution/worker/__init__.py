"""What runs inside a task, in a worker process."""
