"""The one error of these tools: a sentence for the person at the terminal."""


class ClusterError(Exception):
    """Something the local cluster needs is missing or failed; the message says what to do."""
