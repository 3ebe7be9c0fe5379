"""What lies outside the analysed source: which calls reach the world, and how."""
