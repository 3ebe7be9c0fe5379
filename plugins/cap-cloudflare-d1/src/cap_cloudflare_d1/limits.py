"""The vendor's limits, as far as a statement can break them. Where its document and its runtime
differ, the document holds.
"""

from typing import Final

__all__ = [
    "BYTES_SIZE_MAX",
    "COLUMNS_MAX",
    "FUNCTION_ARGUMENTS_MAX",
    "INTEGER_MAX",
    "PARAMETERS_MAX",
    "PATTERN_SIZE_BYTES_MAX",
    "STATEMENT_SIZE_BYTES_MAX",
    "VALUE_SIZE_BYTES_MAX",
]

# https://developers.cloudflare.com/d1/platform/limits/
STATEMENT_SIZE_BYTES_MAX: Final = 100_000
PARAMETERS_MAX: Final = 100
VALUE_SIZE_BYTES_MAX: Final = 2_000_000
COLUMNS_MAX: Final = 100
FUNCTION_ARGUMENTS_MAX: Final = 32
PATTERN_SIZE_BYTES_MAX: Final = 50

# https://developers.cloudflare.com/d1/worker-api/#type-conversion
INTEGER_MAX: Final = 2**53 - 1

BYTES_SIZE_MAX: Final = VALUE_SIZE_BYTES_MAX // 2
"""Of bytes as a parameter: they travel as text, two digits a byte."""
