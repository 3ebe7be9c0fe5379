"""A room: a network of its own, a fault server in it, and the agents that run cases against it."""
