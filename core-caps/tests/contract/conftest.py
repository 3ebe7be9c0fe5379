"""What the harnesses assert is told in full, as what a test asserts is."""

import pytest

pytest.register_assert_rewrite(f"{__package__}.suite_harness", f"{__package__}.model_harness")
