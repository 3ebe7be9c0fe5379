"""What the ledger object takes of Dedupe and Sequencer: the checks that both backends make."""

from core_caps.capabilities.dedupe_arguments import Arguments

from cap_cloudflare_do import limits

__all__ = ["ARGUMENTS"]

ARGUMENTS = Arguments(
    batch_keys_max=limits.BATCH_KEYS_MAX,
    key_size_bytes_max=limits.KEY_SIZE_BYTES_MAX,
    payload_size_bytes_max=limits.PAYLOAD_SIZE_BYTES_MAX,
    result_size_bytes_max=limits.RESULT_SIZE_BYTES_MAX,
    results_size_bytes_max=limits.TRANSACTION_SIZE_BYTES_MAX,
)
