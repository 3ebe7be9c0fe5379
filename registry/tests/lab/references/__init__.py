"""A package, so that the tests may share `serve`."""
