"""SQLite's language as text: for providers whose database is SQLite, wherever it runs."""
