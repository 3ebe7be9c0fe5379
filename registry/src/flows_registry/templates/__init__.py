"""The files that `flows-registry new` fills in; `PACKAGE` and `$name` are replaced."""
