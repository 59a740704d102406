"""HTTP: each endpoint reads its request, asks the model, and writes its response."""
