"""Where an order ships from: a pure function over a snapshot, and the reason anyone can read."""
