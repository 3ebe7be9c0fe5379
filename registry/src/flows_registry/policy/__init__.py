"""What an organisation asks of every plugin, as data: its policy file, and what follows from it."""
