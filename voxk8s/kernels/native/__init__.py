"""The compiled part of the package: C sources, and how their functions are called."""
