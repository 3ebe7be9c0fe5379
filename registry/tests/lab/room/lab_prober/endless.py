"""A module that is never imported to its end."""

import time

while True:
    time.sleep(0.1)
