"""What providers that speak HTTP share. For plugins only; the extra `http` brings httpx."""
