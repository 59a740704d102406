"""The cluster: `watch` and `listing` bring objects into the `store`, `children` reads out of it."""
