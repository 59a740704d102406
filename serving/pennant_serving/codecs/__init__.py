"""Wire formats: pure functions between bytes and `Rows`, and between predictions and bytes."""
