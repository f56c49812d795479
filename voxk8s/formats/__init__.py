"""Image files: the bytes of a file to an Image, and back. Independent of kernels and URLs.

`decode_file` finds the format (`sniff`), checks what ITK does not check (a module for each format)
and reads with ITK, or with Pillow where ITK is wrong. `encode_file` writes with ITK.
"""
