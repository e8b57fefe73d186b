"""Field maps and code tables: data only."""
