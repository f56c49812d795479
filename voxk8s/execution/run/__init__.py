"""The driver's side of a run: inputs, submission, messages, outcomes of goals."""
