"""Step 3: actions are carried out on the cluster."""
