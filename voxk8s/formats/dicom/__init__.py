"""DICOM: `elements` of a file, `gdcm` that reads it, `slices` and how a `series` is one image."""
