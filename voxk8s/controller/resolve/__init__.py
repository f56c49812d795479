"""Look-ups off the event loop: what a plan needs that the store does not hold."""
