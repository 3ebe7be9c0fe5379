"""What is declared: lattices, hints, operations, guarantees, manifests."""
