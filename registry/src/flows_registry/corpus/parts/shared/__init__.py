"""A small key-value plugin over one HTTP client: a subject to certify."""
