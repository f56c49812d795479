"""DICOM: elements of a file, slices, and series of slices as one image."""
