"""Settings of every test here."""

from hypothesis import settings

# A slow machine is no failure: nothing here asserts how long it takes.
settings.register_profile("core-caps", deadline=None)
settings.load_profile("core-caps")
