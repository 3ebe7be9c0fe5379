"""What happens around a call: access, observation, retries."""
