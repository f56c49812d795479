"""Image files: bytes of a file to an Image, and back. Knows no kernel and no URL."""
